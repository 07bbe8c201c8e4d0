"""The runs of a retriever: listed from our mirror, one of them as Mixpeek tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import DateTimeField, FloatField, IntegerField, Value
from django.db.models.functions import Coalesce

from reviewapp.api.annotations import upstream_versions
from reviewapp.api.annotations.render import instant
from reviewapp.api.errors import not_found
from reviewapp.api.pager import order_of, part, texts_of
from reviewapp.retrievers.mirror import keep_detail
from reviewapp.retrievers.models import Execution, Retriever, UpstreamExecution
from reviewapp.retrievers.querysets import ExecutionQuerySet

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Json = dict[str, Any]
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_FILTERS = ("execution_id", "status")
_ORDERS = {
    "execution_id": "execution_id",
    "status": "status",
    "created_at": "created_at",
    "completed_at": "completed",
    "duration_ms": "duration",
    "total_returned": "returned",
}
_GONE = "Mixpeek does not have this execution any more; this is what is kept of it here."


def page(retriever: Retriever, asked: Mapping[str, Any], pager: Mapping[str, Any]) -> Json:
    """Return Mixpeek's list of a retriever's runs, newest first unless sorted; `next_cursor` is ours.

    A run that Mixpeek has given no id yet is not listed.
    """
    rows = _known(retriever).annotate(
        completed=Coalesce("completed_at", Value(_NEVER), output_field=DateTimeField()),
        duration=Coalesce("duration_ms", Value(0.0), output_field=FloatField()),
        returned=Coalesce("total_returned", Value(0), output_field=IntegerField()),
    )
    wanted = texts_of(asked.get("filters") or {}, _FILTERS)
    if asked.get("status") is not None:
        rows = rows.filter(status=asked["status"])
    rows = rows.filter(**{f"{name}__in": texts for name, texts in wanted.items()})

    total = rows.count()
    order = [*order_of(asked, _ORDERS), "-created_at", "-id"]
    found = part(rows, pager, order)

    pagination = {
        "total": total,
        "limit": found.size,
        "offset": found.start,
        "has_next": found.next_cursor is not None,
        "next_cursor": found.next_cursor,
    }
    return {"results": _summaries(found.rows), "pagination": pagination}


def detail(retriever: Retriever, execution_id: str, *, actor: User) -> Json:
    """Return one run as Mixpeek tells it: as it was kept, else Mixpeek is asked while the caller waits.

    Raises a 404 for a run that is not in our mirror, without asking Mixpeek, and `MixpeekError`.
    """
    execution = _known(retriever).filter(execution_id=execution_id).first()
    if execution is None:
        raise not_found("execution", execution_id)
    kept = UpstreamExecution.objects.filter(execution=execution).first() or UpstreamExecution()
    if kept.detail:
        return {**kept.detail, "documents": []}

    record = upstream_versions.execution(retriever.retriever_id, execution_id, person=actor)
    if record is None:
        return _remembered(execution, kept)
    keep_detail(execution, record)
    return {**record.body, "documents": list(record.documents)}


def _known(retriever: Retriever) -> ExecutionQuerySet:
    """Return the runs that Mixpeek has told us of."""
    runs = Execution.objects.filter(retriever=retriever, execution_id__isnull=False)
    return runs.exclude(status=Execution.GONE)


def _remembered(execution: Execution, kept: UpstreamExecution) -> Json:
    """Return what is kept of a run that Mixpeek has forgotten."""
    summary = kept.summary or _summary(execution, kept.reply)
    warnings = [*(kept.reply.get("warnings") or []), _GONE]
    return {
        **summary,
        **kept.reply,
        "retriever_id": execution.retriever.retriever_id,
        "documents": [],
        "documents_retained": False,
        "warnings": warnings,
    }


def _summaries(rows: Iterable[Execution]) -> list[Json]:
    rows = list(rows)
    kept = UpstreamExecution.objects.in_bulk([row.pk for row in rows])
    summaries = []
    for row in rows:
        upstream = kept.get(row.pk) or UpstreamExecution()
        summaries.append(upstream.summary or _summary(row, upstream.reply))
    return summaries


def _summary(execution: Execution, reply: Json) -> Json:
    """Return a run's row in the list, made of what we know, until a pull brings Mixpeek's own."""
    returned = execution.total_returned or 0
    return {
        "execution_id": execution.execution_id,
        "status": execution.status,
        "created_at": instant(execution.created_at),
        "completed_at": instant(execution.completed_at),
        "duration_ms": execution.duration_ms or 0.0,
        "credits_used": (reply.get("budget") or {}).get("credits_used") or 0.0,
        "total_processed": max(returned, *_arrivals(reply)),
        "total_returned": returned,
        "query_summary": execution.query_summary or None,
    }


def _arrivals(reply: Json) -> list[int]:
    """Return how many documents each stage of a run was given."""
    stages = (reply.get("stage_statistics") or {}).get("stages")
    statistics = stages.values() if isinstance(stages, dict) else ()
    counts = [stage.get("input_count") for stage in statistics if isinstance(stage, dict)]
    return [0, *(count for count in counts if isinstance(count, int))]
