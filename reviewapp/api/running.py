"""A run while the caller waits, kept like any other, answered in Mixpeek's shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from reviewapp.api import cursors
from reviewapp.api.errors import Problem, invalid, wrong
from reviewapp.api.inputs import complaints
from reviewapp.api.shapes.retrievers import DEFAULT_PER_PAGE, NOT_PASSED_ON
from reviewapp.audit.trace import acting
from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.mixpeek.records import ExecutionRecord
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.retrievers.services import requested
from reviewapp.sync import run
from reviewapp.sync.client import client

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which rows of a run to answer with: `size` from `start` on; `execution` when a cursor goes on within one."""

    start: int
    size: int
    by_number: bool = False
    execution: int | None = None


def window(asked: Mapping[str, Any]) -> Window:
    """Return the part that an execute call asks for; `limit` is the shorthand that `pagination` overrules."""
    pagination: Mapping[str, Any] = asked.get("pagination") or {}
    fallback = asked.get("limit") or asked.get("page_size") or DEFAULT_PER_PAGE
    by_number = pagination.get("method") == "offset" or (
        "method" not in pagination and ("page_number" in pagination or "page_size" in pagination)
    )
    if by_number:
        size = pagination.get("page_size") or fallback
        return Window(start=((pagination.get("page_number") or 1) - 1) * size, size=size, by_number=True)
    size = pagination.get("limit") or fallback
    if not pagination.get("cursor"):
        return Window(start=0, size=size)
    execution, start = cursors.unpack(pagination["cursor"], "execution", "start")
    return Window(start=start, size=size, execution=execution)


def execute(retriever: Retriever, asked: Mapping[str, Any], *, presigned: bool, actor: User) -> Json:
    """Run a retriever, keep the run and its rows, and return the page asked for; a cursor makes no new run.

    Raises 422 for inputs it does not declare and for what this gateway does not pass on, and `MixpeekError`.
    """
    for name in NOT_PASSED_ON:
        if asked.get(name):
            raise wrong("body", name, message="This gateway does not pass this on.", kind="not_offered")
    inputs = asked.get("inputs") or {}
    if wrongs := list(complaints(retriever.input_schema, inputs)):
        raise invalid(wrongs)
    part = window(asked)
    if part.execution is not None:
        execution = _earlier(retriever, inputs, part.execution)
        return _reply(execution, part, presigned) | {"stage_statistics": {}, "budget": {}}
    execution, record = _made(retriever, inputs, actor)
    told = {"stage_statistics": record.stage_statistics, "budget": record.budget}
    return _reply(execution, part, presigned) | told


def _made(retriever: Retriever, inputs: Json, actor: User) -> tuple[Execution, ExecutionRecord]:
    with acting(actor):
        execution = requested(retriever, inputs, by=actor.get_username(), claimed_at=timezone.now())
    answer = run.make(execution)
    if isinstance(answer, MixpeekError):
        raise answer
    execution.refresh_from_db()
    execution.execution_id = execution.execution_id or answer.record.execution_id
    return execution, answer.record


def _earlier(retriever: Retriever, inputs: Json, pk: int) -> Execution:
    execution = Execution.objects.filter(pk=pk, retriever=retriever).first()
    if execution is None or execution.inputs != inputs:
        raise Problem(400, "The cursor belongs to other inputs; start without a cursor.")
    return execution


def _reply(execution: Execution, part: Window, presigned: bool) -> Json:
    rows = Result.objects.of(execution)
    total = execution.total_returned or 0
    documents = [result.snapshot for result in rows[part.start : part.start + part.size]]
    if presigned:
        documents = _with_links(documents)
    return {
        "execution_id": execution.execution_id or "",
        "status": execution.status,
        "retriever_id": execution.retriever.retriever_id,
        "documents": documents,
        "pagination": _pagination(execution, part, len(documents), total),
        "warnings": execution.warnings,
        "degraded": execution.degraded,
        "error": execution.error or None,
        "total_time_ms": execution.duration_ms,
    }


def _pagination(execution: Execution, part: Window, returned: int, total: int) -> Json:
    following = part.start + returned
    more = bool(returned) and following < total
    told: Json = {"returned": returned, "total": total, "has_next": more}
    if part.by_number:
        number, pages = part.start // part.size + 1, math.ceil(total / part.size)
        return {"method": "offset", "page_number": number, "page_size": part.size, "total_pages": pages, **told}
    cursor = cursors.pack(execution=execution.pk, start=following) if more else None
    return {"method": "cursor", "limit": part.size, "cursor": cursor, **told}


def _with_links(documents: list[Json]) -> list[Json]:
    """Return the documents with links that work now: asked for afresh, since what we keep holds none."""
    ids = [document["document_id"] for document in documents]
    fresh = {found.document_id: found.body for found in client().batch_get_documents(ids).found}
    return [document | fresh.get(document["document_id"], {}) for document in documents]
