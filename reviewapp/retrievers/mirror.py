"""The one door through which upstream retrievers and their executions enter our mirror.

What upstream said last of name, description and tags is kept as it is (`upstream`); the values people see are that,
with our own undelivered changes on top. Whole answers are kept beside (`UpstreamRetriever`, `UpstreamExecution`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from reviewapp.audit.context import notices, noticing
from reviewapp.json_values import same
from reviewapp.mixpeek.records import ExecutionRecord, ExecutionSummary, RetrieverRecord
from reviewapp.outbox.models import Change
from reviewapp.retrievers.documents.snapshot import storable, storable_json
from reviewapp.retrievers.editing.edit import FIELDS, applied
from reviewapp.retrievers.models import Execution, Retriever, UpstreamExecution, UpstreamRetriever
from reviewapp.retrievers.sync_counts import Tally

_LONGEST_NAME = 100
_OURS = ("name", "description", "tags", "stages", "input_schema", "collection_ids", "budget_limits", "version")
_MIRRORED = (*_OURS, "upstream", "created_at", "updated_at", "gone_at")


@transaction.atomic
def absorb(records: Sequence[RetrieverRecord]) -> Tally:
    """Take upstream's retrievers into the mirror, locking their rows; safe to repeat.

    An answer older than what we hold is left alone, and fields that an answer left out stay as they are.
    """
    now = timezone.now()
    known = {
        row.retriever_id: row
        for row in Retriever.objects.select_for_update()
        .filter(retriever_id__in=[record.retriever_id for record in records])
        .order_by("pk")
    }
    undelivered = Change.objects.open_by_ref(row.ref for row in known.values())
    made, changed, current = [], defaultdict(list), []
    for record in {record.retriever_id: record for record in records}.values():
        row = known.get(record.retriever_id)
        if row is None:
            values = _values(record)
            said = {name: values[name] for name in FIELDS}
            made.append(Retriever(retriever_id=record.retriever_id, seen_at=now, upstream=said, **values))
            current.append(record)
            continue
        if row.gone_at is None and record.version < row.version:
            continue
        current.append(record)
        before = row.version
        if _fill(row, record, undelivered[row.ref]):
            changed[_hand(record, before, undelivered[row.ref])].append(row)
    Retriever.objects.bulk_create(made, ignore_conflicts=True)
    for name, rows in changed.items():
        with noticing(name):
            Retriever.objects.bulk_update(rows, _MIRRORED)
    _keep_bodies(current)
    Retriever.objects.filter(pk__in=[row.pk for row in known.values()]).update(seen_at=now)
    news = sum(map(len, changed.values()))
    return Tally(new=len(made), changed=news, same=len(known) - news)


def _keep_bodies(records: Sequence[RetrieverRecord]) -> None:
    """Keep each retriever as it was sent; an answer that is not complete only replaces the fields it holds."""
    ids = [record.retriever_id for record in records]
    keys = dict(Retriever.objects.filter(retriever_id__in=ids).values_list("retriever_id", "pk"))
    kept = UpstreamRetriever.objects.filter(retriever__in=keys.values())
    before = dict(kept.values_list("retriever_id", "body"))
    changed = []
    for record in records:
        key = keys[record.retriever_id]
        body = storable_json(record.body)
        if not record.complete:
            body = before.get(key, {}) | body
        if not same(body, before.get(key)):
            changed.append(UpstreamRetriever(retriever_id=key, body=body))
    UpstreamRetriever.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["retriever"], update_fields=["body"]
    )


def _hand(record: RetrieverRecord, before: int, undelivered: Sequence[Change]) -> str:
    """Return who at Mixpeek made a retriever what it is; "" when its last editor may not have made all that is new."""
    known = notices() and record.updated_by and record.version == before + 1 and not undelivered
    return f"somebody at Mixpeek ({storable(record.updated_by)[:_LONGEST_NAME]})" if known else ""


def mark_gone(retriever_ids: Sequence[str]) -> int:
    """Mark these as gone upstream; returns how many were not already."""
    present = Retriever.objects.filter(retriever_id__in=retriever_ids, gone_at__isnull=True)
    return present.update(gone_at=timezone.now())


def rebase(ref: str) -> None:
    """Show again what upstream said last under what is still to be delivered, after a change fell away."""
    row = Retriever.objects.select_for_update().get(retriever_id=ref.partition("/")[2])
    for name, value in shown(row, Change.objects.open_on(ref)).items():
        setattr(row, name, value)
    row.save(update_fields=FIELDS)


@transaction.atomic
def absorb_executions(retriever: Retriever, records: Sequence[ExecutionSummary]) -> Tally:
    """Take upstream's runs of one retriever into the mirror; safe to repeat. A run that has its rows keeps them."""
    newest = {record.execution_id: record for record in records}
    known = {
        row.execution_id: row
        for row in Execution.objects.select_for_update().filter(execution_id__in=newest).order_by("pk")
    }
    made, changed = [], []
    for execution_id, record in newest.items():
        row = known.get(execution_id)
        if row is None:
            created_at = record.created_at or record.completed_at or timezone.now()
            made.append(Execution(retriever=retriever, created_at=created_at, **_run_values(record)))
        elif _take(row, record):
            changed.append(row)
    Execution.objects.bulk_create(made, ignore_conflicts=True)
    Execution.objects.bulk_update(changed, _RUN)
    news = {row.execution_id for row in changed} | _keep_summaries(newest)
    differing = len(news & known.keys())
    return Tally(new=len(made), changed=differing, same=len(known) - differing)


def _keep_summaries(records: Mapping[str, ExecutionSummary]) -> set[str]:
    """Keep each run's row as it was sent; returns the ids of those that were new or different."""
    rows = Execution.objects.only("execution_id").filter(execution_id__in=records)
    kept = UpstreamExecution.objects.filter(execution__in=rows)
    before = dict(kept.values_list("execution_id", "summary"))
    changed: dict[str, UpstreamExecution] = {}
    for row in rows:
        assert row.execution_id is not None
        summary = storable_json(records[row.execution_id].body)
        if not same(summary, before.get(row.pk)):
            changed[row.execution_id] = UpstreamExecution(execution=row, summary=summary)
    UpstreamExecution.objects.bulk_create(
        changed.values(), update_conflicts=True, unique_fields=["execution"], update_fields=["summary"]
    )
    return set(changed)


def keep_reply(execution: Execution, record: ExecutionRecord) -> None:
    """Keep the answer to a run as it was sent."""
    UpstreamExecution.objects.update_or_create(execution=execution, defaults={"reply": storable_json(record.body)})


def keep_detail(execution: Execution, record: ExecutionRecord) -> None:
    """Keep what a read of a run said as it was sent, unless the run goes on or the read brought documents."""
    if not record.running and not record.documents:
        detail = storable_json(record.body)
        UpstreamExecution.objects.update_or_create(execution=execution, defaults={"detail": detail})


@transaction.atomic
def absorb_execution(retriever: Retriever, execution_id: str, record: ExecutionRecord) -> Execution:
    """Take a run that was read by its id into the mirror; a run that is here already stays as it is."""
    created_at = record.created_at or record.completed_at or timezone.now()
    execution, _ = Execution.objects.get_or_create(
        execution_id=execution_id,
        defaults={
            "retriever": retriever,
            "inputs": storable_json(record.inputs),
            "query_summary": storable(record.query_summary),
            "status": "failed" if record.failed else storable(record.status)[:40],
            "error": storable(record.error),
            "warnings": storable_json(list(record.warnings)),
            "degraded": storable_json(list(record.degraded)),
            "total_returned": record.total_returned,
            "created_at": created_at,
            "completed_at": record.completed_at,
        },
    )
    keep_detail(execution, record)
    return execution


def absorb_missing_execution(retriever: Retriever, execution_id: str, since: datetime | None) -> Execution:
    """Note that upstream no longer has a run, so that nobody asks for it again; it was made at `since` or before."""
    execution, _ = Execution.objects.get_or_create(
        execution_id=execution_id,
        defaults={"retriever": retriever, "status": Execution.GONE, "created_at": since or timezone.now()},
    )
    return execution


_RUN = ("status", "total_returned", "duration_ms", "query_summary", "completed_at")


def _take(row: Execution, record: ExecutionSummary) -> bool:
    """Take what upstream says of a run; of one that was made here, only how it stands and what we lack."""
    differs = False
    for name, value in _run_values(record).items():
        held = getattr(row, name)
        if value not in {None, "", held} and (not row.requested_by or name == "status" or held in {None, ""}):
            setattr(row, name, value)
            differs = True
    return differs


def _run_values(record: ExecutionSummary) -> dict[str, Any]:
    return {
        "execution_id": record.execution_id,
        "status": storable(record.status)[:40],
        "total_returned": record.total_returned,
        "duration_ms": record.duration_ms,
        "query_summary": storable(record.query_summary),
        "completed_at": record.completed_at,
    }


def _fill(row: Retriever, record: RetrieverRecord, changes: Iterable[Change]) -> bool:
    values = {name: value for name, value in _values(record).items() if name not in record.absent}
    held = {name: getattr(row, name) for name in (*_OURS, "upstream", "gone_at")}
    for name, value in values.items():
        setattr(row, name, value)
    row.upstream = held["upstream"] | {name: values[name] for name in FIELDS if name in values}
    for name, value in shown(row, changes).items():
        setattr(row, name, value)
    row.gone_at = None
    return not all(same(getattr(row, name), value) for name, value in held.items())


def shown(row: Retriever, changes: Iterable[Change]) -> dict[str, Any]:
    """Return the values that people see: what upstream said last under these changes, oldest first."""
    values: dict[str, Any] = row.values() | row.upstream
    for change in changes:
        values = applied(change.fields, values)
    return values


def _values(record: RetrieverRecord) -> dict[str, Any]:
    return {
        "name": storable(record.name),
        "description": storable(record.description),
        "tags": storable_json(record.tags),
        "stages": storable_json(record.stages),
        "input_schema": storable_json(record.input_schema),
        "collection_ids": storable_json(record.collection_ids),
        "budget_limits": storable_json(record.budget_limits),
        "version": record.version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
