"""`POST /v1/annotations/bulk`: independent operations, 200 even when some failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api import deciding
from reviewapp.api.endpoint import Endpoint
from reviewapp.api.errors import Problem
from reviewapp.api.once import decision_id, once
from reviewapp.api.shapes import annotations as shapes
from reviewapp.api.showing import Shown
from reviewapp.api.views.annotations import MAY_DECIDE
from reviewapp.outbox.priority import in_bulk

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
    @once
    def post(self, request: Request) -> Response:
        """Do what can be done, each in its own transaction, and say what became of each."""
        results = list(_each(request, self.body(shapes.BulkAnnotationsRequest), self.person))
        done = [each["operation"] for each in results if each["success"]]
        counts = {f"{verb}d_count": done.count(verb) for verb in ("create", "update", "delete")}
        return Response({**counts, "failed_count": len(results) - len(done), "results": results})


def _each(request: Request, asked: dict[str, Any], actor: User) -> Iterator[dict[str, Any]]:
    """Yield what became of each item; whoever waits for the answer does not wait for their delivery."""
    creates, updates = asked.get("create") or [], asked.get("update") or []
    for number, item in enumerate(creates):
        made = decision_id(request, number)
        yield _attempt("create", None, partial(deciding.create, item, decision_id=made, actor=actor))
    for number, item in enumerate(updates, start=len(creates)):
        made, name = decision_id(request, number), item["annotation_id"]
        act = partial(deciding.patch, name, item, if_match="", decision_id=made, actor=actor)
        yield _attempt("update", name, act)
    for name in asked.get("delete") or []:
        yield {"operation": "delete", "success": False, "annotation_id": name, "error": _NO_DELETING, "change_id": None}


def _attempt(operation: str, name: str | None, act: Callable[[], tuple[Shown, int | None]]) -> dict[str, Any]:
    result: dict[str, Any] = {"operation": operation, "annotation_id": name, "error": None, "change_id": None}
    try:
        with in_bulk():
            shown, change = act()
    except Problem as problem:
        return {**result, "success": False, "error": problem.message}
    return {**result, "success": True, "annotation_id": shown.annotation_id, "change_id": change}
