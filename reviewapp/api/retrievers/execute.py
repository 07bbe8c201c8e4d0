"""A run while the caller waits, kept like any other, answered in Mixpeek's shape."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from reviewapp.api import pagination as api_pagination
from reviewapp.api.annotations.upstream_versions import documents as documents_with_links
from reviewapp.api.errors import Problem, invalid, wrong
from reviewapp.api.retrievers.input_validation import complaints
from reviewapp.api.serializers.retrievers import DEFAULT_PER_PAGE, NOT_PASSED_ON
from reviewapp.audit.context import acting
from reviewapp.json_values import same
from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.retrievers.models import Execution, Result, Retriever, UpstreamExecution
from reviewapp.retrievers.services import requested
from reviewapp.sync import interactive_limits
from reviewapp.sync.executions import run

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which rows of a run to answer with: `size` from `start` on; `execution` when a cursor goes on within one.

    `overruled` is a `limit` that `pagination` contradicts.
    """

    start: int
    size: int
    by_number: bool = False
    execution: int | None = None
    overruled: int | None = None


def window(asked: Mapping[str, Any]) -> Window:
    """Return the part that an execute call asks for; `limit` is the shorthand that `pagination` overrules.

    Raises a 422 when `limit` and its other name `page_size` differ, as Mixpeek does.
    """
    limit, page_size = asked.get("limit"), asked.get("page_size")
    if limit and page_size and limit != page_size:
        message = "limit and page_size mean the same; give one of them, or the same number."
        raise wrong("body", "page_size", message=message)

    pagination: Mapping[str, Any] = asked.get("pagination") or {}
    shorthand: int | None = limit or page_size
    by_number = pagination.get("method") == "offset" or (
        "method" not in pagination and ("page_number" in pagination or "page_size" in pagination)
    )
    chosen: int | None = pagination.get("page_size" if by_number else "limit")
    size = chosen or shorthand or DEFAULT_PER_PAGE
    overruled = shorthand if shorthand != size else None
    if by_number:
        start = ((pagination.get("page_number") or 1) - 1) * size
        return Window(start=start, size=size, by_number=True, overruled=overruled)
    if not pagination.get("cursor"):
        return Window(start=0, size=size, overruled=overruled)
    execution, start = api_pagination.unpack(pagination["cursor"], "execution", "start")
    return Window(start=start, size=size, execution=execution, overruled=overruled)


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
        return _reply(_earlier(retriever, inputs, part.execution), part, presigned, reader=actor)

    with interactive_limits.CALLS.entered():
        execution, answer = _made(retriever, inputs, actor)
        return _reply(execution, part, presigned, sent=answer.documents)


def _made(retriever: Retriever, inputs: Json, actor: User) -> tuple[Execution, run.Answer]:
    with interactive_limits.asking(None):
        with acting(actor):
            execution = requested(retriever, inputs, by=actor.get_username(), claimed_at=timezone.now())

        answer = run.make(execution)
        if isinstance(answer, MixpeekError):
            raise answer

    execution.refresh_from_db()
    return execution, answer


def _earlier(retriever: Retriever, inputs: Json, pk: int) -> Execution:
    execution = Execution.objects.filter(pk=pk, retriever=retriever).first()
    if execution is None or not same(execution.inputs, inputs):
        raise Problem(400, "The cursor belongs to other inputs; start without a cursor.")
    return execution


def _reply(
    execution: Execution,
    part: Window,
    presigned: bool,
    *,
    reader: User | None = None,
    sent: Sequence[Json] | None = None,
) -> Json:
    """Return Mixpeek's reply to a run with our page of it; `sent` are the run's documents as they just came.

    A later page is made of what was kept of the documents; `reader` pays for its links, nobody for those of a run
    that was just made.
    """
    results = Result.objects.of(execution)[part.start : part.start + part.size]
    if sent is None:
        documents = [result.snapshot for result in results]
    else:
        documents = [sent[result.rank - 1] for result in results if result.rank]
    if presigned:
        documents = _with_links(documents, reader)

    upstream = UpstreamExecution.objects.filter(execution=execution).first()
    reply: Json = upstream.reply if upstream else {}
    own = {
        "execution_id": execution.execution_id or "",
        "status": execution.status,
        "retriever_id": execution.retriever.retriever_id,
        "error": execution.error or None,
    }
    return {
        **own,
        **reply,
        "documents": documents,
        "pagination": _pagination(execution, part, len(documents), reply),
        "warnings": _warnings(execution, part, reply),
    }


def _warnings(execution: Execution, part: Window, reply: Json) -> list[str] | None:
    """Return Mixpeek's warnings, then what we have to add."""
    sent = reply.get("warnings") or []
    added = [warning for warning in execution.warnings if warning not in sent]
    if part.overruled is not None:
        added.append(f"limit={part.overruled} was not used: pagination asks for {part.size}.")
    return [*sent, *added] or reply.get("warnings")


def _pagination(execution: Execution, part: Window, returned: int, reply: Json) -> Json:
    kept = execution.total_returned or 0
    following = part.start + returned
    more = bool(returned) and following < kept
    # Mixpeek counts what the pipeline found, which may be more than what is kept.
    counted = (reply.get("pagination") or {}).get("total")
    total = max(counted, kept) if isinstance(counted, int) else kept
    told: Json = {"returned": returned, "total": total, "has_next": more}
    if part.by_number:
        number, pages = part.start // part.size + 1, math.ceil(total / part.size)
        return {"method": "offset", "page_number": number, "page_size": part.size, "total_pages": pages, **told}
    cursor = api_pagination.pack(execution=execution.pk, start=following) if more else None
    return {"method": "cursor", "limit": part.size, "cursor": cursor, **told}


def _with_links(documents: list[Json], reader: User | None) -> list[Json]:
    """Return the documents with links that work now: asked for afresh, since what we keep holds none."""
    ids = [document["document_id"] for document in documents]
    fresh = documents_with_links(ids, person=reader)
    return [document | fresh.get(document["document_id"], {}) for document in documents]
