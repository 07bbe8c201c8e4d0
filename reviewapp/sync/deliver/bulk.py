"""Deliver a backlog in bulk: read the lists, compare, write once, read the lists again, settle.

Whatever differs, fails, is missing from a list or needs more than bulk can do is delivered one by
one. A crash after the write leaves the changes claimed; the next worker reads first and finds them
as wanted.
https://docs.mixpeek.com/api-reference/annotations/bulk-annotations
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.mirror.from_upstream import stamp_in
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, Refused
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox import claims
from reviewapp.outbox.merge import Judgement
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.deliver.annotations import (
    fields_to_send,
    judge_change,
    outcome_without_write,
    overwritten_before,
    uncleared_after,
    values_not_cleared,
    version_made,
)
from reviewapp.sync.deliver.bulk_plan import (
    MAX_WRITTEN,
    PAGE,
    BulkPlan,
    Head,
    Listing,
    plan_bulk_write,
)
from reviewapp.sync.deliver.null_support import clears_null, without_nulls
from reviewapp.sync.deliver.outcome import DeliveryOutcome, delivered, ensure_claims
from reviewapp.sync.deliver.provenance import lacks_author, stamped
from reviewapp.sync.deliver.verify import lost_update, version_after_write
from reviewapp.sync.list_sizes import sizes

# A change delivered by itself is read and written.
_REQUESTS_PER_CHANGE = 2
# A list may be longer than the mirror knows: read this many pages more. What is still missing is
# delivered one by one.
_EXTRA_PAGES = 1


@dataclass(kw_only=True)
class BulkDelivery:
    """What a bulk plan came to.

    `outcomes` are to be settled, `fallback` is to be delivered one by one. `unfinished` failed with
    `error` and is to be attempted again later; if the write was `sent`, the next read shows which
    of them were written.
    """

    outcomes: list[DeliveryOutcome] = field(default_factory=list)
    fallback: list[Change] = field(default_factory=list)
    unfinished: list[Change] = field(default_factory=list)
    sent: bool = False
    error: MixpeekError | None = None


@dataclass(frozen=True, kw_only=True)
class _Item:
    """A change to write: what was read, what to send, what an earlier attempt wrote over."""

    change: Change
    read: AnnotationRecord
    judgement: Judgement
    send: dict[str, Any]
    overwritten: dict[str, Any] | None
    uncleared: Mapping[str, Any]


def plan_backlog(rank: Rank) -> BulkPlan:
    """Return the plan for the changes of a rank that are due; reads our tables only.

    Bulk cannot say who decided, so confirmations go in bulk only beyond the number that a minute's
    requests can deliver one by one. Where bulk loses the author, so do relabels. What was tried
    before goes one by one.
    """
    due = Change.objects.heads_due(timezone.now(), rank=rank)
    per_minute = settings.MIXPEEK_REQUESTS_PER_MINUTE // _REQUESTS_PER_CHANGE
    first_relabel = 0
    if settings.MIXPEEK_WHO == "metadata":
        first_relabel = per_minute

    # Slices of what is due, so that those tried before count in a minute's requests.
    relabels = due.filter(verb=Change.Verb.SET)[first_relabel : first_relabel + MAX_WRITTEN]
    confirmations = due.filter(verb=Change.Verb.CONFIRM)[per_minute : per_minute + MAX_WRITTEN]
    columns = ("pk", "retriever_id", "fields", "base__label", "attempts")

    heads = []
    for changes in (relabels, confirmations):
        for pk, retriever_id, fields, base_label, attempts in changes.values_list(*columns):
            if attempts or not fields.keys() <= FIELDS.keys():
                continue
            label = str(base_label or "")
            wanted = str(fields.get("label", label))
            heads.append(Head(pk=pk, retriever_id=retriever_id, label=label, wanted=wanted))

    retriever_ids = {head.retriever_id for head in heads}
    return plan_bulk_write(heads, sizes.of(retriever_ids))


def deliver_plan(bulk_plan: BulkPlan, client: Client) -> BulkDelivery:
    """Claim the changes of a plan and deliver them together; settles nothing."""
    changes = claims.claim_by_id(timezone.now(), bulk_plan.heads)
    upstream = Annotation.objects.filter(annotation_id__isnull=False)
    upstream = upstream.only("ref", "annotation_id", "uncleared")
    refs = [change.ref for change in changes]
    rows = upstream.by_ref(refs)

    result = BulkDelivery()
    with_row = []
    for change in changes:
        if change.ref in rows:
            with_row.append(change)
        else:
            result.fallback.append(change)

    try:
        items = _read(with_row, rows, bulk_plan.before, client, result)
        written = _write(items, client, result)
        _confirm(written, bulk_plan.after, client, result)
    except MixpeekError as error:
        finished_keys = {outcome.change.pk for outcome in result.outcomes}
        finished_keys |= {change.pk for change in result.fallback}
        result.error = error
        result.unfinished = [change for change in with_row if change.pk not in finished_keys]
    return result


def _read(
    changes: Sequence[Change],
    rows: dict[str, Annotation],
    lists: Sequence[Listing],
    client: Client,
    result: BulkDelivery,
) -> list[_Item]:
    """Read the lists and return what to write.

    Adds to `result` what needs no write, and what is in no list.
    """
    changes_by_id = {str(rows[change.ref].annotation_id): change for change in changes}
    records = _read_lists(lists, changes_by_id, client)
    may_send_nulls = clears_null()

    items = []
    for change in changes:
        row = rows[change.ref]
        read = records.get(str(row.annotation_id))
        if read is None:
            result.fallback.append(change)
            continue
        # A stamp in the metadata, which bulk cannot replace, would go on saying "can't tell".
        if settings.MIXPEEK_WHO != "payload" and stamp_in(read).get("outcome"):
            result.fallback.append(change)
            continue

        judgement = judge_change(change, read, row.uncleared)
        overwritten = overwritten_before(change, read, row.uncleared)
        outcome = outcome_without_write(change, read, judgement, overwritten)
        if outcome:
            result.outcomes.append(outcome)
            continue

        send = fields_to_send(change, judgement, read)
        if not may_send_nulls:
            send = without_nulls(send)
        item = _Item(
            change=change,
            read=read,
            judgement=judgement,
            send=send,
            overwritten=overwritten,
            uncleared=row.uncleared,
        )
        items.append(item)
    return items


def _write(items: Sequence[_Item], client: Client, result: BulkDelivery) -> list[_Item]:
    """Send what is still claimed and return what Mixpeek says it wrote; the rest falls back."""
    changes = [item.change for item in items]
    claimed = ensure_claims(changes, client)
    claimed_keys = {change.pk for change in claimed}
    items = [item for item in items if item.change.pk in claimed_keys]
    if not items:
        return []

    # From here on nobody may withdraw these changes as never sent.
    Change.objects.filter(pk__in=claimed_keys).update(maybe_sent=True)
    result.sent = True

    updates = {}
    for item in items:
        values = stamped(item.send, item.change, item.read, bulk=True)
        updates[item.read.annotation_id] = values
    try:
        replies = client.bulk_annotations(updates, change_reason=f"{len(items)} decisions")
    except Refused:
        result.fallback += claimed
        return []

    written_ids = {reply.annotation_id for reply in replies if reply.success}
    written = []
    for item in items:
        if item.read.annotation_id in written_ids:
            written.append(item)
        else:
            result.fallback.append(item.change)
    return written


def _confirm(
    items: Sequence[_Item],
    lists: Sequence[Listing],
    client: Client,
    result: BulkDelivery,
) -> None:
    """Read the lists again and add the outcomes that they prove; the rest falls back."""
    changes_by_id = {item.read.annotation_id: item.change for item in items}
    records = _read_lists(lists, changes_by_id, client)
    for item in items:
        latest = records.get(item.read.annotation_id)
        written = None
        if latest:
            written = version_after_write(item.read, latest, item.send)
        if latest is None or written is None:
            result.fallback.append(item.change)
            continue

        not_cleared = values_not_cleared(item.change, item.read, written)
        outcome = delivered(
            item.change,
            latest,
            version=version_made(item.change, item.read, written),
            merged=item.judgement.merged or None,
            raced=lost_update(item.read, written) or item.overwritten,
            uncleared=not_cleared or None,
            without_author=lacks_author(written, item.change),
        )
        uncleared = uncleared_after(item.change, item.uncleared, not_cleared)
        result.outcomes.append(replace(outcome, uncleared=uncleared))


def _read_lists(
    lists: Sequence[Listing],
    changes_by_id: Mapping[str, Change],
    client: Client,
) -> dict[str, AnnotationRecord]:
    """Return the annotations of these ids that the lists hold, renewing the claims meanwhile."""
    records: dict[str, AnnotationRecord] = {}
    for listing in lists:
        for number in range(listing.pages + _EXTRA_PAGES):
            if len(records) == len(changes_by_id):
                return records
            ensure_claims(list(changes_by_id.values()), client)
            page = client.list_annotations(
                skip=number * PAGE,
                limit=PAGE,
                retriever_id=listing.retriever_id,
                label=listing.label,
            )
            for record in page.items:
                if record.annotation_id in changes_by_id:
                    records[record.annotation_id] = record
            if page.rows < PAGE:
                break
    return records
