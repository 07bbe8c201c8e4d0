"""`POST /v1/annotations/bulk`: independent operations, 200 even when some failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError, connection
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.annotations import write
from reviewapp.api.annotations.bulk_limit import few_at_once
from reviewapp.api.annotations.render import Shown
from reviewapp.api.errors import not_found, understood
from reviewapp.api.idempotency import UnfinishedResponse, decision_id, once
from reviewapp.api.serializers import annotations as shapes
from reviewapp.api.views.annotations import MAY_DECIDE
from reviewapp.api.views.base import Endpoint
from reviewapp.outbox.rate_limit.priority import in_bulk

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_NO_DELETING = "This gateway deletes no annotations."


class BulkAnnotations(Endpoint):
    """Many creates and updates in one request."""

    needs = {"POST": MAY_DECIDE}

    @extend_schema(
        operation_id="bulk_annotations",
        request=shapes.BulkAnnotationsRequest,
        responses=shapes.BulkAnnotationsResponse,
    )
    @few_at_once
    @once
    def post(self, request: Request) -> Response:
        """Do what can be done, each in its own transaction, and say what became of each."""
        attempts = list(_attempts(request, self.body(shapes.BulkAnnotationsRequest), self.person))
        results = [attempt.result for attempt in attempts]
        done = [result["operation"] for result in results if result["success"]]
        counts = {f"{verb}d_count": done.count(verb) for verb in ("create", "update", "delete")}
        content = {**counts, "failed_count": len(results) - len(done), "results": results}
        if any(attempt.failed_here for attempt in attempts):
            return UnfinishedResponse(content)
        return Response(content)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What became of one item, as it is answered; `failed_here` when that is our fault and worth another try."""

    result: dict[str, Any]
    failed_here: bool = False


def _attempts(request: Request, asked: dict[str, Any], actor: User) -> Iterator[Attempt]:
    """Yield what became of each item; whoever waits for the answer does not wait for their delivery."""
    creates, updates = asked.get("create") or [], asked.get("update") or []
    for number, item in enumerate(creates):
        made = decision_id(request, number)
        yield _attempt("create", None, partial(write.create, item, decision_id=made, actor=actor))

    existing = write.existing_ids(item["annotation_id"] for item in updates)
    for number, item in enumerate(updates, start=len(creates)):
        made, name = decision_id(request, number), item["annotation_id"]
        if name not in existing:
            error = not_found("annotation", name)
            yield Attempt(result={**_result("update", name), "success": False, "error": error.message})
            continue
        act = partial(write.patch, name, item, if_match="", decision_id=made, actor=actor)
        yield _attempt("update", name, act)

    for name in asked.get("delete") or []:
        yield Attempt(result={**_result("delete", name), "success": False, "error": _NO_DELETING})


def _attempt(operation: str, name: str | None, act: Callable[[], tuple[Shown, int | None]]) -> Attempt:
    """Do one item; whatever it raises is the item's own failure, but for a database that is away."""
    result = _result(operation, name)
    try:
        with in_bulk():
            shown, change = act()
    except Exception as error:
        if isinstance(error, (OperationalError, InterfaceError)) and not connection.is_usable():
            raise
        problem = understood(error)
        return Attempt(
            result={**result, "success": False, "error": problem.message},
            failed_here=problem.status >= 500,
        )
    return Attempt(
        result={**result, "success": True, "annotation_id": shown.annotation_id, "change_id": change},
    )


def _result(operation: str, name: str | None) -> dict[str, Any]:
    return {"operation": operation, "annotation_id": name, "error": None, "change_id": None}
