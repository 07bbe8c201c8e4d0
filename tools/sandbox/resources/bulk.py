"""`POST /v1/annotations/bulk`: independent operations, 200 even when some failed, nothing rolled
back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    """Do every operation that can be done and report each; raises 422 when any item is malformed."""
    asked = call.dialect.accept(call.body, _BODY)
    complaints = list(_malformed(call, asked))
    if complaints:
        raise Invalid(complaints)
    with call.store.writing():
        results = list(_results(call, asked))
    done = [each["operation"] for each in results if each["success"]]
    counts = {f"{verb}d_count": done.count(verb) for verb in ("create", "update", "delete")}
    return {**counts, "failed_count": len(results) - len(done), "results": results}


def _malformed(call: Call, asked: Json) -> Iterator[Complaint]:
    strict = call.dialect.current
    for operation, fields in (("create", _CREATE), ("update", call.nulls.accepted_fields(_UPDATE))):
        for number, item in enumerate(asked.get(operation) or []):
            yield from complaints_about(item, fields, strict=strict, at=("body", operation, number))


def _results(call: Call, asked: Json) -> Iterator[Json]:
    for item in asked.get("create") or []:
        yield _attempt("create", None, partial(_create, call, item))
    for item in asked.get("update") or []:
        yield _attempt("update", item["annotation_id"], partial(_update, call, item))
    for name in asked.get("delete") or []:
        yield _attempt("delete", name, partial(_delete, call, name))


def _create(call: Call, item: Json) -> str:
    made = insert(call, {key: item[key] for key in _CREATE if key in item})
    return str(made["annotation_id"])


def _update(call: Call, item: Json) -> str:
    values = {key: item[key] for key in _UPDATE if key in item and key != "annotation_id"}
    return str(update(call, item["annotation_id"], values)["annotation_id"])


def _delete(call: Call, annotation_id: str) -> str:
    remove(call, annotation_id)
    return annotation_id


def _attempt(operation: str, annotation_id: str | None, act: Callable[[], str]) -> Json:
    try:
        done = act()
    except Problem as problem:
        return {
            "operation": operation,
            "success": False,
            "annotation_id": annotation_id,
            "error": problem.message,
        }
    return {"operation": operation, "success": True, "annotation_id": done, "error": None}
