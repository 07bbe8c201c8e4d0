"""`POST /v1/annotations/bulk`: independent operations, 200 even when some failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError, connection
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.annotations import bulk_limit, write
from reviewapp.api.annotations.bulk_limit import limit_concurrent_bulks
from reviewapp.api.annotations.render import RenderedAnnotation
from reviewapp.api.errors import not_found, problem_from_error
from reviewapp.api.idempotency import UnfinishedResponse, decision_id, idempotent
from reviewapp.api.serializers import annotations as shapes
from reviewapp.api.views.annotations import CAN_DECIDE
from reviewapp.api.views.base import Endpoint
from reviewapp.outbox.rate_limit.priority import bulk_priority

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_DELETE_REFUSED = "Annotations cannot be deleted here."
_NOT_BEGUN = (
    "Not begun, because this bulk took too long. Send it again with the same Idempotency-Key, or "
    "send what is left."
)


class BulkAnnotations(Endpoint):
    """Many creates and updates in one request."""

    needs = {"POST": CAN_DECIDE}

    @extend_schema(
        operation_id="bulk_annotations",
        request=shapes.BulkAnnotationsRequest,
        responses=shapes.BulkAnnotationsResponse,
    )
    @limit_concurrent_bulks
    @idempotent
    def post(self, request: Request) -> Response:
        """Create and update many annotations, and report the result of each.

        Each is done in a transaction of its own, so some may succeed where others fail.
        """
        data = self.body(shapes.BulkAnnotationsRequest)

        # At least one is done; what is not begun in time is left undone.
        deadline = monotonic() + bulk_limit.MAX_BULK_SECONDS
        attempts = []
        for attempt in _attempt_all(request, data, self.person):
            attempts.append(attempt)
            if monotonic() > deadline:
                break

        operations = [("create", None)] * len(data.get("create") or [])
        for item in data.get("update") or []:
            operations.append(("update", item["annotation_id"]))
        for annotation_id in data.get("delete") or []:
            operations.append(("delete", annotation_id))
        for operation, annotation_id in operations[len(attempts) :]:
            result = _blank_result(operation, annotation_id)
            undone = {**result, "success": False, "error": _NOT_BEGUN}
            attempts.append(Attempt(result=undone, failed_here=True))

        results = [attempt.result for attempt in attempts]
        is_unfinished = False
        succeeded = []
        for attempt in attempts:
            is_unfinished = is_unfinished or attempt.failed_here
            if attempt.result["success"]:
                succeeded.append(attempt.result["operation"])

        content = {
            "created_count": succeeded.count("create"),
            "updated_count": succeeded.count("update"),
            "deleted_count": succeeded.count("delete"),
            "failed_count": len(results) - len(succeeded),
            "results": results,
        }
        if is_unfinished:
            return UnfinishedResponse(content)
        return Response(content)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The result of one item as in the response; `failed_here`: our own fault, worth a retry."""

    result: dict[str, Any]
    failed_here: bool = False


def _attempt_all(request: Request, data: dict[str, Any], actor: User) -> Iterator[Attempt]:
    """Do each item and yield its result; delivery to Mixpeek happens later."""
    creates = data.get("create") or []
    updates = data.get("update") or []

    for index, item in enumerate(creates):
        create = partial(
            write.create_annotation,
            item,
            decision_id=decision_id(request, index),
            actor=actor,
        )
        yield _attempt("create", None, create)

    existing_ids = write.existing_ids(item["annotation_id"] for item in updates)
    for index, item in enumerate(updates, start=len(creates)):
        annotation_id = item["annotation_id"]
        if annotation_id not in existing_ids:
            error = not_found("annotation", annotation_id)
            result = _blank_result("update", annotation_id)
            yield Attempt(result={**result, "success": False, "error": error.message})
            continue

        update = partial(
            write.patch_annotation,
            annotation_id,
            item,
            if_match="",
            decision_id=decision_id(request, index),
            actor=actor,
        )
        yield _attempt("update", annotation_id, update)

    for annotation_id in data.get("delete") or []:
        result = _blank_result("delete", annotation_id)
        yield Attempt(result={**result, "success": False, "error": _DELETE_REFUSED})


def _attempt(
    operation: str,
    annotation_id: str | None,
    write_item: Callable[[], tuple[RenderedAnnotation, int | None]],
) -> Attempt:
    """Do one item; an exception is the item's own failure, unless the database is away."""
    result = _blank_result(operation, annotation_id)
    try:
        with bulk_priority():
            annotation, change_id = write_item()
    except Exception as error:
        is_database_error = isinstance(error, (OperationalError, InterfaceError))
        if is_database_error and not connection.is_usable():
            raise
        problem = problem_from_error(error)
        return Attempt(
            result={**result, "success": False, "error": problem.message},
            failed_here=problem.status >= 500,
        )
    return Attempt(
        result={
            **result,
            "success": True,
            "annotation_id": annotation.annotation_id,
            "change_id": change_id,
        },
    )


def _blank_result(operation: str, annotation_id: str | None) -> dict[str, Any]:
    return {
        "operation": operation,
        "annotation_id": annotation_id,
        "error": None,
        "change_id": None,
    }
