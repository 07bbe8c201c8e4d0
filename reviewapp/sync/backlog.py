"""Deliver a backlog in bulk: read the lists, judge each change as ever, one write, read the lists again, settle.

What differs, fails, is missing from a list or needs more than bulk can do goes the careful single way. A crash after
the write leaves the changes claimed; whoever takes them up next reads first and finds them as wanted.
https://docs.mixpeek.com/api-reference/annotations/bulk-annotations
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, Refused
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox import claims
from reviewapp.outbox.bucket import Rank
from reviewapp.outbox.merge import Judgement, judge
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver_annotation import judged, replaced_before, theirs_of, wanted_by
from reviewapp.sync.planning import MOST_WRITTEN, PAGE, Head, Listing, Round, plan
from reviewapp.sync.proof import landed, race
from reviewapp.sync.sizes import sizes
from reviewapp.sync.stamp import stamped
from reviewapp.sync.target import Outcome, delivered, held

_FIELDS = frozenset({"label", "confidence", "reasoning", "payload"})
# A list longer than we thought is read so many pages further; what is missing then goes the single way.
_MORE_PAGES = 1


@dataclass(kw_only=True)
class Delivered:
    """What a round came to: outcomes to settle, changes to deliver one by one, and what stopped it, if anything did.

    `stuck` met `error` and are to be tried again later; if something was `sent`, what was written is then found so.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    singly: list[Change] = field(default_factory=list)
    stuck: list[Change] = field(default_factory=list)
    sent: bool = False
    error: MixpeekError | None = None


@dataclass(frozen=True, kw_only=True)
class _Item:
    """A change with what was read, what is to be sent, and what an earlier send of it wrote over."""

    change: Change
    read: AnnotationRecord
    judgement: Judgement
    before: dict[str, Any] | None


def planned(rank: Rank) -> Round:
    """Return what is worth delivering in bulk of all that is due in a rank; reads the tables only."""
    heads = []
    for change in Change.objects.heads_due(timezone.now(), rank=rank)[:MOST_WRITTEN]:
        if change.verb == Change.Verb.SET and not change.attempts and change.fields.keys() <= _FIELDS:
            label = str(change.base.get("label", ""))
            wanted = str(change.fields.get("label", label))
            heads.append(Head(pk=change.pk, retriever_id=change.retriever_id, label=label, wanted=wanted))
    return plan(heads, sizes.of({head.retriever_id for head in heads}))


def deliver(found: Round, client: Client) -> Delivered:
    """Claim the changes of a round and deliver them together; nothing is settled yet."""
    changes = claims.claim_these(timezone.now(), found.heads)
    ids = _ids(changes)
    done = Delivered(singly=[change for change in changes if change.ref not in ids])
    ours = [change for change in changes if change.ref in ids]
    try:
        items = _read(ours, ids, found.before, client, done)
        written = _write(items, client, done)
        _confirm(written, found.after, client, done)
    except MixpeekError as error:
        placed = {outcome.change.pk for outcome in done.outcomes} | {change.pk for change in done.singly}
        done.error, done.stuck = error, [change for change in ours if change.pk not in placed]
    return done


def _read(
    changes: Sequence[Change], ids: dict[str, str], lists: Sequence[Listing], client: Client, done: Delivered
) -> list[_Item]:
    """Return what is to be written; what needs no write, or is not in the lists, is put where it belongs."""
    there, items = _listed(lists, {ids[change.ref]: change for change in changes}, client), []
    for change in changes:
        read = there.get(ids[change.ref])
        if read is None:
            done.singly.append(change)
            continue
        judgement = judge(fields=wanted_by(change, read), base=change.base, theirs=theirs_of(change, read))
        before = replaced_before(change, read)
        if settled := judged(change, read, judgement, before):
            done.outcomes.append(settled)
        else:
            items.append(_Item(change=change, read=read, judgement=judgement, before=before))
    return items


def _write(items: Sequence[_Item], client: Client, done: Delivered) -> list[_Item]:
    """Send all that is ours still; returns what Mixpeek says it did. A whole that is refused goes one by one."""
    ours = {change.pk for change in held([item.change for item in items], client)}
    sending = [item for item in items if item.change.pk in ours]
    if not sending:
        return []
    # Whatever happens from here on, nobody may take these back as if they had never left.
    Change.objects.filter(pk__in=ours).update(maybe_sent=True)
    done.sent = True
    try:
        results = client.bulk_annotations(
            {
                item.read.annotation_id: stamped(item.judgement.send, item.change, item.read, bulk=True)
                for item in sending
            }
        )
    except Refused:
        done.singly += [item.change for item in sending]
        return []
    said = {result.annotation_id for result in results if result.success}
    done.singly += [item.change for item in sending if item.read.annotation_id not in said]
    return [item for item in sending if item.read.annotation_id in said]


def _confirm(items: Sequence[_Item], lists: Sequence[Listing], client: Client, done: Delivered) -> None:
    """Settle what the lists prove; what they do not is read by itself once more."""
    there = _listed(lists, {item.read.annotation_id: item.change for item in items}, client)
    for item in items:
        now = there.get(item.read.annotation_id)
        written = landed(item.read, now, item.judgement.send) if now else None
        if now is None or written is None:
            done.singly.append(item.change)
            continue
        raced, merged = race(item.read, written) or item.before, item.judgement.merged or None
        done.outcomes.append(delivered(item.change, now, version=written.version, merged=merged, raced=raced))


def _listed(lists: Sequence[Listing], wanted: Mapping[str, Change], client: Client) -> dict[str, AnnotationRecord]:
    """Return the annotations that are wanted, by id, as far as the lists hold them; claims are kept alive meanwhile."""
    found: dict[str, AnnotationRecord] = {}
    for listing in lists:
        for page in range(listing.pages + _MORE_PAGES):
            if len(found) == len(wanted):
                return found
            held(list(wanted.values()), client)
            got = client.list_annotations(
                skip=page * PAGE, limit=PAGE, retriever_id=listing.retriever_id, label=listing.label
            )
            found |= {each.annotation_id: each for each in got.items if each.annotation_id in wanted}
            if len(got.items) < PAGE:
                break
    return found


def _ids(changes: Sequence[Change]) -> dict[str, str]:
    """Return Mixpeek's id by ref, of those that have one."""
    refs = [change.ref for change in changes]
    known = Annotation.objects.filter(ref__in=refs, annotation_id__isnull=False)
    return {ref: annotation_id for ref, annotation_id in known.values_list("ref", "annotation_id") if annotation_id}
