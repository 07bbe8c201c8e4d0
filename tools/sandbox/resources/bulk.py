"""`POST /v1/annotations/bulk`: independent operations; 200 even when some failed, no rollback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tools.sandbox.data_folder.import_rows import EDITABLE
from tools.sandbox.errors import Complaint, Invalid, Problem
from tools.sandbox.request import Call
from tools.sandbox.resources.annotations import CREATE, insert, remove, update
from tools.sandbox.rules.validation import Field, Json, complaints_about

_MOST = 1000
_CREATE = {key: field for key, field in CREATE.items() if key != "metadata"}
_UPDATE = {
    **{key: field for key, field in EDITABLE.items() if key != "metadata"},
    "annotation_id": Field(kind="text", nullable=False, required=True),
}
_BODY = {
    "create": Field(kind="array", most=_MOST, items=Field(kind="object", nullable=False)),
    "update": Field(kind="array", most=_MOST, items=Field(kind="object", nullable=False)),
    "delete": Field(kind="array", most=_MOST, items=Field(kind="text", nullable=False)),
}


def bulk(call: Call) -> Json:
    """Try every operation and report each; raises 422 when any item is malformed."""
    operations = call.dialect.accept(call.body, _BODY)
    complaints = [
        *_complaints(call, operations, "create", _CREATE),
        *_complaints(call, operations, "update", call.nulls.accepted_fields(_UPDATE)),
    ]
    if complaints:
        raise Invalid(complaints)

    with call.store.writing():
        results = list(_results(call, operations))

    succeeded = [result["operation"] for result in results if result["success"]]
    return {
        "created_count": succeeded.count("create"),
        "updated_count": succeeded.count("update"),
        "deleted_count": succeeded.count("delete"),
        "failed_count": len(results) - len(succeeded),
        "results": results,
    }


def _complaints(
    call: Call, operations: Json, operation: str, fields: Mapping[str, Field]
) -> Iterator[Complaint]:
    strict = call.dialect.current
    for index, item in enumerate(operations.get(operation) or []):
        yield from complaints_about(item, fields, strict=strict, at=("body", operation, index))


def _results(call: Call, operations: Json) -> Iterator[Json]:
    for item in operations.get("create") or []:
        yield _attempt("create", None, partial(_create, call, item))
    for item in operations.get("update") or []:
        yield _attempt("update", item["annotation_id"], partial(_update, call, item))
    for annotation_id in operations.get("delete") or []:
        yield _attempt("delete", annotation_id, partial(_delete, call, annotation_id))


def _create(call: Call, item: Json) -> str:
    annotation = insert(call, {key: item[key] for key in _CREATE if key in item})
    return str(annotation["annotation_id"])


def _update(call: Call, item: Json) -> str:
    values = {key: item[key] for key in _UPDATE if key in item}
    annotation = update(call, values.pop("annotation_id"), values)
    return str(annotation["annotation_id"])


def _delete(call: Call, annotation_id: str) -> str:
    remove(call, annotation_id)
    return annotation_id


def _attempt(operation: str, annotation_id: str | None, act: Callable[[], str]) -> Json:
    try:
        changed_id = act()
    except Problem as problem:
        return {
            "operation": operation,
            "success": False,
            "annotation_id": annotation_id,
            "error": problem.message,
        }
    return {"operation": operation, "success": True, "annotation_id": changed_id, "error": None}
