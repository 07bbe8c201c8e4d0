"""A run while the caller waits, kept like any other, answered in Mixpeek's shape."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.api.annotations.upstream_versions import fetch_documents
from reviewapp.api.errors import Problem, invalid_value, validation_problem
from reviewapp.api.pager import unpack_numbers
from reviewapp.api.retrievers.input_validation import input_errors
from reviewapp.api.serializers.retrievers import DEFAULT_PER_PAGE, NOT_PASSED_ON
from reviewapp.audit.context import acting
from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.retrievers.models import Execution, Result, Retriever, UpstreamExecution
from reviewapp.retrievers.services import record_requested_run
from reviewapp.sync import interactive_limits
from reviewapp.sync.executions import run
from reviewapp.web.pagination import pack_cursor

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Window:
    """The rows of an execution to respond with: `size` rows from `start` on.

    `execution` is the key of the execution that a cursor continues. `overruled` is a `limit` that
    `pagination` contradicts.
    """

    start: int
    size: int
    by_number: bool = False
    execution: int | None = None
    overruled: int | None = None

    def warnings(self, execution: Execution, reply: Json) -> list[str] | None:
        """Return Mixpeek's warnings, followed by our own."""
        sent = reply.get("warnings") or []
        added = [warning for warning in execution.warnings if warning not in sent]
        if self.overruled is not None:
            warning = _("limit=%(limit)s was not used: pagination asks for %(size)s.")
            added.append(warning % {"limit": self.overruled, "size": self.size})
        return [*sent, *added] or reply.get("warnings")

    def pagination(self, execution: Execution, reply: Json, *, returned: int) -> Json:
        """Return the `pagination` of a response with `returned` rows."""
        stored = execution.total_returned or 0
        next_start = self.start + returned
        has_next = bool(returned) and next_start < stored

        # Mixpeek counts what the pipeline found, which may be more than what is stored.
        total = stored
        upstream_total = (reply.get("pagination") or {}).get("total")
        if isinstance(upstream_total, int):
            total = max(upstream_total, stored)

        counts: Json = {"returned": returned, "total": total, "has_next": has_next}
        if self.by_number:
            return {
                "method": "offset",
                "page_number": self.start // self.size + 1,
                "page_size": self.size,
                "total_pages": math.ceil(total / self.size),
                **counts,
            }

        cursor = None
        if has_next:
            cursor = pack_cursor({"execution": execution.pk, "start": next_start})
        return {"method": "cursor", "limit": self.size, "cursor": cursor, **counts}


def parse_window(data: Mapping[str, Any]) -> Window:
    """Return the rows that an execute call requests; `pagination` overrules `limit`.

    Raises a 422 when `limit` and its other name `page_size` differ, as Mixpeek does.
    """
    limit = data.get("limit")
    page_size = data.get("page_size")
    if limit and page_size and limit != page_size:
        message = _("limit and page_size mean the same; give one of them, or the same number.")
        raise invalid_value("body", "page_size", message=message)

    pagination: Mapping[str, Any] = data.get("pagination") or {}
    shorthand: int | None = limit or page_size
    by_number = pagination.get("method") == "offset"
    if "method" not in pagination:
        by_number = "page_number" in pagination or "page_size" in pagination

    size_key = "page_size" if by_number else "limit"
    requested_size: int | None = pagination.get(size_key)
    size = requested_size or shorthand or DEFAULT_PER_PAGE
    overruled = shorthand if shorthand != size else None
    if by_number:
        start = ((pagination.get("page_number") or 1) - 1) * size
        return Window(start=start, size=size, by_number=True, overruled=overruled)

    if not pagination.get("cursor"):
        return Window(start=0, size=size, overruled=overruled)
    execution, start = unpack_numbers(pagination["cursor"], "execution", "start")
    return Window(start=start, size=size, execution=execution, overruled=overruled)


def execute_retriever(
    retriever: Retriever, data: Mapping[str, Any], *, presigned: bool, actor: User
) -> Json:
    """Run a retriever, store the execution and its rows, and return the requested page.

    A cursor continues an earlier execution. Raises 422 for undeclared inputs and for parameters
    that this gateway does not pass on, and `MixpeekError`.
    """
    for name in NOT_PASSED_ON:
        if data.get(name):
            raise invalid_value(
                "body",
                name,
                message=_("This gateway does not pass this on."),
                kind="not_offered",
            )

    inputs = data.get("inputs") or {}
    errors = list(input_errors(retriever.input_schema, inputs))
    if errors:
        raise validation_problem(errors)

    window = parse_window(data)
    if window.execution is not None:
        execution = Execution.objects.filter(pk=window.execution, retriever=retriever).first()
        if execution is None or not is_same_json(execution.inputs, inputs):
            raise Problem(400, _("The cursor belongs to other inputs; start without a cursor."))
        return _build_reply(execution, window, presigned, reader=actor)

    with interactive_limits.CALLS.entered():
        execution, answer = _run(retriever, inputs, actor)
        return _build_reply(execution, window, presigned, sent=answer.documents)


def _run(retriever: Retriever, inputs: Json, actor: User) -> tuple[Execution, run.RunAnswer]:
    with interactive_limits.interactive_requests(None):
        with acting(actor):
            execution = record_requested_run(
                retriever,
                inputs,
                by=actor.get_username(),
                claimed_at=timezone.now(),
            )

        answer = run.execute_claimed(execution)
        if isinstance(answer, MixpeekError):
            raise answer

    execution.refresh_from_db()
    return execution, answer


def _build_reply(
    execution: Execution,
    window: Window,
    presigned: bool,
    *,
    reader: User | None = None,
    sent: Sequence[Json] | None = None,
) -> Json:
    """Return Mixpeek's reply with our page; `sent` are the documents of a new execution.

    Without `sent` the page is built from the stored snapshots. Links of a stored execution count
    against the rate limit of `reader`.
    """
    results = Result.objects.of(execution)[window.start : window.start + window.size]
    documents = []
    for result in results:
        if sent is None:
            documents.append(result.snapshot)
        elif result.rank:
            documents.append(sent[result.rank - 1])
    if presigned:
        ids = [document["document_id"] for document in documents]
        fresh = fetch_documents(ids, person=reader)
        documents = [document | fresh.get(document["document_id"], {}) for document in documents]

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
        "pagination": window.pagination(execution, reply, returned=len(documents)),
        "warnings": window.warnings(execution, reply),
    }
