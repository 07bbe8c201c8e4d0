"""Absorb upstream retrievers and their executions into the mirror; the only module that does.

`Retriever.upstream` keeps upstream's last name, description and tags. The values that people see
are these with our own undelivered changes on top. Whole answers are kept in `UpstreamRetriever` and
`UpstreamExecution`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from reviewapp.audit.context import is_noticing, noticing
from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.records import (
    ExecutionRecord,
    ExecutionSummary,
    RetrieverRecord,
    is_overtaken,
)
from reviewapp.outbox.models import Change
from reviewapp.ref import Ref
from reviewapp.retrievers.documents.snapshot import clean_json, clean_text
from reviewapp.retrievers.editing.edit import RETRIEVER_FIELDS, apply_change
from reviewapp.retrievers.models import Execution, Retriever, UpstreamExecution, UpstreamRetriever
from reviewapp.retrievers.sync_counts import SyncCounts

_MAX_NAME_LENGTH = 100
_MAX_STATUS_LENGTH = 40
_COMPARED = (
    "name", "description", "tags", "stages", "input_schema", "collection_ids", "budget_limits",
    "version", "upstream", "gone_at",
)  # fmt: skip
_MIRRORED = (*_COMPARED, "created_at", "updated_at")


@transaction.atomic
def absorb_retriever(records: Sequence[RetrieverRecord]) -> SyncCounts:
    """Absorb upstream's retrievers into the mirror, locking their rows; safe to repeat.

    An answer older than the mirror is ignored, and fields that an answer left out stay unchanged.
    """
    now = timezone.now()
    newest = {record.retriever_id: record for record in records}
    locked = Retriever.objects.select_for_update().order_by("pk")
    known = locked.in_bulk(list(newest), field_name="retriever_id")
    undelivered = Change.objects.open_by_ref(row.ref for row in known.values())

    created: list[Retriever] = []
    updated_by_editor: defaultdict[str, list[Retriever]] = defaultdict(list)
    absorbed: list[RetrieverRecord] = []
    for record in newest.values():
        row = known.get(record.retriever_id)
        if row is None:
            values = _record_values(record)
            upstream = {name: values[name] for name in RETRIEVER_FIELDS}
            new_row = Retriever(
                retriever_id=record.retriever_id, seen_at=now, upstream=upstream, **values
            )
            created.append(new_row)
            absorbed.append(record)
            continue

        is_outdated = row.gone_at is None and is_overtaken(record.version, row.version)
        if is_outdated:
            continue

        absorbed.append(record)
        version_before = row.version
        changes = undelivered[row.ref]
        if _update_row(row, record, changes):
            editor = _editor(record, version_before, changes)
            updated_by_editor[editor].append(row)

    Retriever.objects.bulk_create(created, ignore_conflicts=True)
    updated_count = 0
    for editor, updated in updated_by_editor.items():
        updated_count += len(updated)
        with noticing(editor):
            Retriever.objects.bulk_update(updated, _MIRRORED)
    save_bodies(absorbed)
    Retriever.objects.filter(retriever_id__in=list(known)).update(seen_at=now)
    return SyncCounts(new=len(created), changed=updated_count, same=len(known) - updated_count)


def save_bodies(records: Sequence[RetrieverRecord]) -> None:
    """Save each retriever as sent; an incomplete answer only replaces the fields it holds."""
    ids = [record.retriever_id for record in records]
    keys = dict(Retriever.objects.filter(retriever_id__in=ids).values_list("retriever_id", "pk"))
    saved = UpstreamRetriever.objects.filter(retriever__in=keys.values())
    before = dict(saved.values_list("retriever_id", "body"))

    changed = []
    for record in records:
        key = keys[record.retriever_id]
        body = clean_json(record.body)
        if not record.complete:
            body = before.get(key, {}) | body
        if not is_same_json(body, before.get(key)):
            changed.append(UpstreamRetriever(retriever_id=key, body=body))
    UpstreamRetriever.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["retriever"], update_fields=["body"]
    )


def _editor(record: RetrieverRecord, version_before: int, undelivered: Sequence[Change]) -> str:
    """Return the editor at Mixpeek; "" unless the last one made all that is new."""
    is_one_edit = record.version == version_before + 1 and not undelivered
    if not is_noticing() or not record.updated_by or not is_one_edit:
        return ""
    return f"somebody at Mixpeek ({clean_text(record.updated_by)[:_MAX_NAME_LENGTH]})"


def lock_rows(refs: Iterable[str], records: Sequence[RetrieverRecord]) -> None:
    """Lock the rows of these refs and records in one order, within the caller's transaction."""
    ids = {Ref.parse(ref).id for ref in refs}
    ids |= {record.retriever_id for record in records}
    rows = Retriever.objects.select_for_update().filter(retriever_id__in=ids)
    list(rows.order_by("pk").values_list("pk"))


@transaction.atomic
def mark_retrievers_gone(retriever_ids: Sequence[str]) -> int:
    """Mark these as gone upstream; return how many were not marked before."""
    present = Retriever.objects.filter(retriever_id__in=retriever_ids, gone_at__isnull=True)
    locked = list(present.select_for_update().order_by("pk").values_list("pk", flat=True))
    return Retriever.objects.filter(pk__in=locked).update(gone_at=timezone.now())


def rebase_retriever(ref: str) -> None:
    """Recompute the displayed values of a retriever after one of its changes was withdrawn.

    Does nothing if the retriever was deleted here.
    """
    row = Retriever.objects.select_for_update().filter(retriever_id=Ref.parse(ref).id).first()
    if row is None:
        return

    for name, value in visible_retriever_values(row, Change.objects.open_on(ref)).items():
        setattr(row, name, value)
    row.save(update_fields=RETRIEVER_FIELDS)


def status_of_run(record: ExecutionRecord) -> str:
    """Return the status of a run that Mixpeek answered about, as we store it."""
    if record.failed:
        return "failed"
    return _stored_status(record.status)


def _stored_status(status: str) -> str:
    """Return Mixpeek's status of a run, "unknown" for those that only we give.

    A worker makes, and pays for, every run that is `requested`.
    """
    text = clean_text(status)[:_MAX_STATUS_LENGTH]
    if text in {Execution.REQUESTED, Execution.GONE}:
        return "unknown"
    return text


@transaction.atomic
def absorb_executions(retriever: Retriever, records: Sequence[ExecutionSummary]) -> SyncCounts:
    """Absorb upstream's runs of one retriever; safe to repeat. A run keeps the results it has."""
    newest = {record.execution_id: record for record in records}
    locked = Execution.objects.select_for_update().order_by("pk")
    known = locked.in_bulk(list(newest), field_name="execution_id")

    created = []
    changed = []
    changed_ids = set()
    for execution_id, record in newest.items():
        row = known.get(execution_id)
        if row is None:
            values = _summary_values(record)
            created_at = record.created_at or record.completed_at or timezone.now()
            created.append(Execution(retriever=retriever, created_at=created_at, **values))
        elif _update_execution(row, record):
            changed.append(row)
            changed_ids.add(execution_id)

    Execution.objects.bulk_create(created, ignore_conflicts=True)
    Execution.objects.bulk_update(changed, _SUMMARY_FIELDS)
    changed_ids |= save_summaries(newest)
    changed_count = len(changed_ids & known.keys())
    return SyncCounts(new=len(created), changed=changed_count, same=len(known) - changed_count)


def save_summaries(records: Mapping[str, ExecutionSummary]) -> set[str]:
    """Save each run's summary as it was sent; return the ids of those that are new or different."""
    rows = Execution.objects.only("execution_id").filter(execution_id__in=records)
    saved = UpstreamExecution.objects.filter(execution__in=rows)
    before = dict(saved.values_list("execution_id", "summary"))

    changed: dict[str, UpstreamExecution] = {}
    for row in rows:
        assert row.execution_id is not None
        summary = clean_json(records[row.execution_id].body)
        if not is_same_json(summary, before.get(row.pk)):
            changed[row.execution_id] = UpstreamExecution(execution=row, summary=summary)
    UpstreamExecution.objects.bulk_create(
        changed.values(),
        update_conflicts=True,
        unique_fields=["execution"],
        update_fields=["summary"],
    )
    return set(changed)


def save_reply(execution: Execution, record: ExecutionRecord) -> None:
    """Save the reply to a run as it was sent."""
    reply = clean_json(record.body)
    UpstreamExecution.objects.update_or_create(execution=execution, defaults={"reply": reply})


def save_detail(execution: Execution, record: ExecutionRecord) -> None:
    """Save the details of a run as they were read, unless it is running or has documents."""
    if not record.running and not record.documents:
        detail = clean_json(record.body)
        UpstreamExecution.objects.update_or_create(execution=execution, defaults={"detail": detail})


@transaction.atomic
def absorb_execution(retriever: Retriever, execution_id: str, record: ExecutionRecord) -> Execution:
    """Absorb a run that was read by its id; a run that is already mirrored stays unchanged."""
    created_at = record.created_at or record.completed_at or timezone.now()
    execution, _ = Execution.objects.get_or_create(
        execution_id=execution_id,
        defaults={
            "retriever": retriever,
            "inputs": clean_json(record.inputs),
            "query_summary": clean_text(record.query_summary),
            "status": status_of_run(record),
            "error": clean_text(record.error),
            "warnings": clean_json(list(record.warnings)),
            "degraded": clean_json(list(record.degraded)),
            "total_returned": record.total_returned,
            "created_at": created_at,
            "completed_at": record.completed_at,
        },
    )
    save_detail(execution, record)
    return execution


def absorb_missing_execution(
    retriever: Retriever,
    execution_id: str,
    since: datetime | None,
) -> Execution:
    """Record that upstream no longer has a run, so that it is not read again.

    The run was made at `since` or before.
    """
    execution, _ = Execution.objects.get_or_create(
        execution_id=execution_id,
        defaults={
            "retriever": retriever,
            "status": Execution.GONE,
            "created_at": since or timezone.now(),
        },
    )
    return execution


_SUMMARY_FIELDS = ("status", "total_returned", "duration_ms", "query_summary", "completed_at")


def _update_execution(row: Execution, record: ExecutionSummary) -> bool:
    """Update a run from upstream; return whether anything changed.

    Of a run that was requested here, only the status and missing values are updated.
    """
    is_changed = False
    for name, value in _summary_values(record).items():
        current = getattr(row, name)
        if value in {None, "", current}:
            continue
        if not row.requested_by or name == "status" or current in {None, ""}:
            setattr(row, name, value)
            is_changed = True
    return is_changed


def _summary_values(record: ExecutionSummary) -> dict[str, Any]:
    return {
        "execution_id": record.execution_id,
        "status": _stored_status(record.status),
        "total_returned": record.total_returned,
        "duration_ms": record.duration_ms,
        "query_summary": clean_text(record.query_summary),
        "completed_at": record.completed_at,
    }


def _update_row(row: Retriever, record: RetrieverRecord, changes: Iterable[Change]) -> bool:
    """Update a retriever from upstream, below these changes; return whether anything changed."""
    before = {name: getattr(row, name) for name in _COMPARED}
    values = _record_values(record)
    for name in record.absent:
        values.pop(name, None)

    for name, value in values.items():
        setattr(row, name, value)
    upstream = dict(row.upstream)
    for name in RETRIEVER_FIELDS:
        if name in values:
            upstream[name] = values[name]
    row.upstream = upstream
    for name, value in visible_retriever_values(row, changes).items():
        setattr(row, name, value)
    row.gone_at = None

    after = {name: getattr(row, name) for name in _COMPARED}
    return not is_same_json(after, before)


def visible_retriever_values(row: Retriever, changes: Iterable[Change]) -> dict[str, Any]:
    """Return the values that people see: upstream's last ones under these changes, oldest first."""
    values: dict[str, Any] = row.values() | row.upstream
    for change in changes:
        values = apply_change(change.fields, values)
    return values


def _record_values(record: RetrieverRecord) -> dict[str, Any]:
    return {
        "name": clean_text(record.name),
        "description": clean_text(record.description),
        "tags": clean_json(record.tags),
        "stages": clean_json(record.stages),
        "input_schema": clean_json(record.input_schema),
        "collection_ids": clean_json(record.collection_ids),
        "budget_limits": clean_json(record.budget_limits),
        "version": record.version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
