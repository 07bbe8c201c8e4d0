"""Deliver a backlog in bulk: read the lists, judge each change as ever, one write, read the lists again, settle.

What differs, fails, is missing from a list or needs more than bulk can do goes the careful single way. A crash after
the write leaves the changes claimed; whoever takes them up next reads first and finds them as wanted.
https://docs.mixpeek.com/api-reference/annotations/bulk-annotations
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, Refused
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox import claims
from reviewapp.outbox.merge import Judgement
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.deliver.annotations import (
    judge_change,
    judged,
    left_uncleared,
    replaced_before,
    to_send,
    uncleared_after,
    version_made,
)
from reviewapp.sync.deliver.bulk_plan import MOST_WRITTEN, PAGE, Head, Listing, Round, plan
from reviewapp.sync.deliver.list_sizes import sizes
from reviewapp.sync.deliver.null_support import clears_null, without_nulls
from reviewapp.sync.deliver.outcome import Outcome, delivered, held
from reviewapp.sync.deliver.provenance import lacks_author, stamped
from reviewapp.sync.deliver.verify import landed, race

_FIELDS = frozenset({"label", "confidence", "reasoning", "payload"})
# A change delivered by itself is read and written.
_REQUESTS_EACH = 2
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
    send: dict[str, Any]
    before: dict[str, Any] | None
    uncleared: Mapping[str, Any]


def planned(rank: Rank) -> Round:
    """Return what is worth delivering in bulk of all that is due in a rank; reads the tables only.

    Bulk cannot say who decided, so a confirmation goes in bulk only when more of them wait than a minute's requests
    can tell one by one.
    """
    due = Change.objects.heads_due(timezone.now(), rank=rank)
    one_by_one = settings.MIXPEEK_REQUESTS_PER_MINUTE // _REQUESTS_EACH
    confirmations = due.filter(verb=Change.Verb.CONFIRM)[one_by_one : one_by_one + MOST_WRITTEN]
    others = due.filter(verb=Change.Verb.SET)[:MOST_WRITTEN]

    heads = []
    for change in [*others, *confirmations]:
        if not change.attempts and change.fields.keys() <= _FIELDS:
            label = str(change.base.get("label", ""))
            wanted = str(change.fields.get("label", label))
            heads.append(Head(pk=change.pk, retriever_id=change.retriever_id, label=label, wanted=wanted))
    return plan(heads, sizes.of({head.retriever_id for head in heads}))


def deliver(found: Round, client: Client) -> Delivered:
    """Claim the changes of a round and deliver them together; nothing is settled yet."""
    changes = claims.claim_by_id(timezone.now(), found.heads)
    rows = _rows(changes)
    done = Delivered(singly=[change for change in changes if change.ref not in rows])
    ours = [change for change in changes if change.ref in rows]
    try:
        items = _read(ours, rows, found.before, client, done)
        written = _write(items, client, done)
        _confirm(written, found.after, client, done)
    except MixpeekError as error:
        placed = {outcome.change.pk for outcome in done.outcomes} | {change.pk for change in done.singly}
        done.error, done.stuck = error, [change for change in ours if change.pk not in placed]
    return done


def _read(
    changes: Sequence[Change], rows: dict[str, Annotation], lists: Sequence[Listing], client: Client, done: Delivered
) -> list[_Item]:
    """Return what is to be written; what needs no write, or is not in the lists, is put where it belongs."""
    wanted = {str(rows[change.ref].annotation_id): change for change in changes}
    there = _listed(lists, wanted, client)
    nulls_clear = clears_null()
    items = []
    for change in changes:
        row = rows[change.ref]
        read = there.get(str(row.annotation_id))
        if read is None:
            done.singly.append(change)
            continue

        judgement = judge_change(change, read, row.uncleared)
        before = replaced_before(change, read, row.uncleared)
        if settled := judged(change, read, judgement, before):
            done.outcomes.append(settled)
            continue

        send = to_send(change, judgement, read)
        if not nulls_clear:
            send = without_nulls(send)
        item = _Item(change=change, read=read, judgement=judgement, send=send, before=before, uncleared=row.uncleared)
        items.append(item)
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
            {item.read.annotation_id: stamped(item.send, item.change, item.read, bulk=True) for item in sending},
            change_reason=f"{len(sending)} decisions",
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
        written = landed(item.read, now, item.send) if now else None
        if now is None or written is None:
            done.singly.append(item.change)
            continue
        done.outcomes.append(_outcome(item, now, written))


def _outcome(item: _Item, now: AnnotationRecord, written: AnnotationRecord) -> Outcome:
    """Return the outcome of an item whose write the list `now` proves; `written` is how it stood right after."""
    left = left_uncleared(item.change, item.read, written)
    outcome = delivered(
        item.change,
        now,
        version=version_made(item.change, item.read, written),
        merged=item.judgement.merged or None,
        raced=race(item.read, written) or item.before,
        uncleared=left or None,
        without_author=lacks_author(written, item.change),
    )
    return replace(outcome, uncleared=uncleared_after(item.change, item.uncleared, left))


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
            if got.rows < PAGE:
                break
    return found


def _rows(changes: Sequence[Change]) -> dict[str, Annotation]:
    """Return the annotations of the changes by ref, of those that Mixpeek has."""
    known = Annotation.objects.filter(annotation_id__isnull=False).only("ref", "annotation_id", "uncleared")
    return known.by_ref([change.ref for change in changes])
