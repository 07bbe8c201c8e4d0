"""Changing a retriever.

Where the public reference is silent this server decides: every accepted PATCH makes the next
version, null clears `description`, `tags`, `metadata` and `display_config` and counts as not given
elsewhere, and a name that is taken is a 409.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from tools.sandbox.data_folder.import_rows import INPUT_TYPES, RowError, check_stage
from tools.sandbox.errors import Complaint, Invalid, already_exists, bad_request, not_found
from tools.sandbox.request import Call
from tools.sandbox.resources.audit import differences, log_change
from tools.sandbox.resources.retrievers import find
from tools.sandbox.rules.validation import Field, Json
from tools.sandbox.store import packed

_OBJECT = Field(kind="object")
_NAME = Field(kind="text", least=1)
_TEXTS = Field(kind="array", items=Field(kind="text", nullable=False))
_PATCH = {
    "retriever_name": _NAME,
    "description": Field(kind="text"),
    "visibility": Field(kind="text", among=("private", "public", "marketplace")),
    "marketplace_listing_id": Field(kind="text"),
    "requires_subscription": Field(kind="boolean"),
    "tags": _TEXTS,
    "metadata": _OBJECT,
    "display_config": _OBJECT,
    "collection_identifiers": _TEXTS,
    "stages": Field(kind="array", least=1, items=Field(kind="object", nullable=False)),
    "input_schema": _OBJECT,
}
_OLD_PATCH = {"name": _NAME, "description": Field(kind="text"), "tags": _TEXTS}
_CLEARABLE = {"description", "tags", "metadata", "display_config"}
_UNPATCHED = ("is_published", "marketplace_listing_id")


def patch(call: Call) -> Json:
    """Update a retriever and return it wrapped; raises 400 (nothing given), 404, 409 and 422."""
    fields = _PATCH if call.dialect.current else _OLD_PATCH
    request = call.dialect.accept(call.body, fields)
    values = {}
    for key, value in request.items():
        if value is not None or key in _CLEARABLE:
            values[key] = value
    if "name" in values:
        values["retriever_name"] = values.pop("name")
    if not values:
        raise bad_request("No fields provided for update")

    with call.store.writing():
        after = _updated(call, find(call), values)
    reply = {key: value for key, value in after.items() if key not in _UNPATCHED}
    return {"retriever": call.dialect.retriever(reply)}


def _updated(call: Call, before: Json, values: Json) -> Json:
    changes = {**values, **_checked_structure(call, before, values)}
    if changes.get("tags", ()) is None:
        changes["tags"] = []
    edit = call.edit()
    after = {
        **before,
        **changes,
        "version": before["version"] + 1,
        "updated_at": edit.at,
        "updated_by": edit.actor_id,
    }
    sql = "UPDATE retrievers SET name = ?, body = ? WHERE namespace_id = ? AND retriever_id = ?"
    try:
        call.store.db.execute(
            sql,
            (after["retriever_name"], packed(after), call.namespace, after["retriever_id"]),
        )
    except sqlite3.IntegrityError as error:
        raise already_exists("retriever", after["retriever_name"]) from error
    changed = sorted(key for key in changes if before.get(key) != after[key])
    changed_values = differences(before, after, changed)
    log_change(call, "retriever_updated", after["retriever_id"], changed_values)
    return after


def _checked_structure(call: Call, before: Json, values: Json) -> Json:
    changes: Json = {}
    if "stages" in values:
        if before.get("is_published"):
            raise _structural("stages", "The stages of a published retriever cannot be changed")
        changes["stages"] = _checked_stages(values["stages"])
    if "input_schema" in values:
        _check_evolution(before["input_schema"], values["input_schema"])
    if "collection_identifiers" in values:
        _check_collections(call, values["collection_identifiers"])
        changes["collection_ids"] = values["collection_identifiers"]
    return changes


def _checked_stages(stages: list[Any]) -> list[Json]:
    try:
        return [check_stage(stage) for stage in stages]
    except RowError as error:
        raise _structural("stages", str(error)) from error


def _check_evolution(before: Json, after: Json) -> None:
    for name, declared in after.items():
        if not isinstance(declared, dict) or declared.get("type") not in INPUT_TYPES:
            message = f"Input {name!r} needs a 'type' out of {', '.join(INPUT_TYPES)}"
            raise _structural("input_schema", message)

        earlier = before.get(name, {})
        if earlier and declared["type"] != earlier["type"]:
            message = f"Breaking change: input {name!r} would change its type"
            raise _structural("input_schema", message)

        becomes_required = declared.get("required") and not earlier.get("required")
        if becomes_required and declared.get("default") is None:
            message = f"Breaking change: input {name!r} would become required"
            raise _structural("input_schema", message)

    for name in before:
        if name not in after:
            message = f"Breaking change: input {name!r} would be removed"
            raise _structural("input_schema", message)


def _check_collections(call: Call, names: list[str]) -> None:
    sql = "SELECT 1 FROM documents WHERE namespace_id = ? AND collection_id = ? LIMIT 1"
    for name in names:
        if not call.store.one(sql, call.namespace, name):
            raise not_found("collection", name)


def _structural(field: str, message: str) -> Invalid:
    return Invalid([Complaint(kind="value_error", location=("body", field), message=message)])
