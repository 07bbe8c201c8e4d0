"""The runs of a retriever: listed from our mirror, one of them as Mixpeek tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import DateTimeField, FloatField, IntegerField, Value
from django.db.models.functions import Coalesce

from reviewapp.api.annotations import upstream_versions
from reviewapp.api.annotations.render import iso_utc
from reviewapp.api.errors import not_found
from reviewapp.api.pager import paginate_queryset, parse_filters, parse_sort
from reviewapp.retrievers.mirror import save_detail
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
_EXPIRED_WARNING = "Mixpeek no longer has this execution. These are the values stored here."


def list_retriever_executions(
    retriever: Retriever,
    data: Mapping[str, Any],
    pager: Mapping[str, Any],
) -> Json:
    """Return a page of a retriever's executions as Mixpeek's list reply, newest first by default.

    `next_cursor` is ours. Executions without an id of Mixpeek's are not listed.
    """
    rows = _with_upstream_id(retriever).annotate(
        completed=Coalesce("completed_at", Value(_NEVER), output_field=DateTimeField()),
        duration=Coalesce("duration_ms", Value(0.0), output_field=FloatField()),
        returned=Coalesce("total_returned", Value(0), output_field=IntegerField()),
    )

    filters = parse_filters(data.get("filters") or {}, _FILTERS)
    if data.get("status") is not None:
        rows = rows.filter(status=data["status"])
    for name, texts in filters.items():
        rows = rows.filter(**{f"{name}__in": texts})

    total = rows.count()
    order = [*parse_sort(data, _ORDERS), "-created_at", "-id"]
    page = paginate_queryset(rows, pager, order)

    pagination = {
        "total": total,
        "limit": page.size,
        "offset": page.start,
        "has_next": page.next_cursor is not None,
        "next_cursor": page.next_cursor,
    }

    keys = [row.pk for row in page.rows]
    upstream_by_pk = UpstreamExecution.objects.in_bulk(keys)
    summaries = []
    for row in page.rows:
        upstream = upstream_by_pk.get(row.pk) or UpstreamExecution()
        summaries.append(upstream.summary or _render_summary(row, upstream.reply))
    return {"results": summaries, "pagination": pagination}


def render_execution(retriever: Retriever, execution_id: str, *, actor: User) -> Json:
    """Return one execution in Mixpeek's shape: the stored one, else fetched from Mixpeek now.

    Raises a 404 for an execution that is not in our mirror, without a request, and `MixpeekError`.
    """
    execution = _with_upstream_id(retriever).filter(execution_id=execution_id).first()
    if execution is None:
        raise not_found("execution", execution_id)

    stored = UpstreamExecution.objects.filter(execution=execution).first() or UpstreamExecution()
    if stored.detail:
        return {**stored.detail, "documents": []}

    record = upstream_versions.fetch_execution(retriever.retriever_id, execution_id, person=actor)
    if record is None:
        summary = stored.summary or _render_summary(execution, stored.reply)
        warnings = [*(stored.reply.get("warnings") or []), _EXPIRED_WARNING]
        return {
            **summary,
            **stored.reply,
            "retriever_id": execution.retriever.retriever_id,
            "documents": [],
            "documents_retained": False,
            "warnings": warnings,
        }
    save_detail(execution, record)
    return {**record.body, "documents": list(record.documents)}


def _with_upstream_id(retriever: Retriever) -> ExecutionQuerySet:
    runs = Execution.objects.filter(retriever=retriever, execution_id__isnull=False)
    return runs.exclude(status=Execution.GONE)


def _render_summary(execution: Execution, reply: Json) -> Json:
    """Build an execution's row in the list until a pull brings Mixpeek's own."""
    returned = execution.total_returned or 0
    stages = (reply.get("stage_statistics") or {}).get("stages")
    processed = returned
    for stage in stages.values() if isinstance(stages, dict) else ():
        if isinstance(stage, dict) and isinstance(stage.get("input_count"), int):
            processed = max(processed, stage["input_count"])
    return {
        "execution_id": execution.execution_id,
        "status": execution.status,
        "created_at": iso_utc(execution.created_at),
        "completed_at": iso_utc(execution.completed_at),
        "duration_ms": execution.duration_ms or 0.0,
        "credits_used": (reply.get("budget") or {}).get("credits_used") or 0.0,
        "total_processed": processed,
        "total_returned": returned,
        "query_summary": execution.query_summary or None,
    }
