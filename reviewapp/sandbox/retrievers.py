"""Retrievers: list, get and patch, by id or by name.

Where the public reference is silent this server decides: every accepted PATCH makes the next version, null clears
`description`, `tags`, `metadata` and `display_config` and counts as not given elsewhere, and a name that is taken
is a 409.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from reviewapp.sandbox.call import Call
from reviewapp.sandbox.checks import Field, Json, complaints_about
from reviewapp.sandbox.errors import Complaint, Invalid, already_exists, bad_request, not_found
from reviewapp.sandbox.paging import MOST_OFFSET, Window, list_pagination, list_window
from reviewapp.sandbox.rows import INPUT_TYPES, RowError, check_stage
from reviewapp.sandbox.stages import StageError, build_condition, read_field
from reviewapp.sandbox.store import packed

_OBJECT, _NAME = Field(kind="object"), Field(kind="text", least=1)
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
_LIST = {
    "search": Field(kind="text"),
    "filters": _OBJECT,
    "sorts": Field(kind="array"),
    "sort": _OBJECT,
    "case_sensitive": Field(kind="boolean"),
}
_SORT = {
    "field": Field(kind="text", nullable=False, required=True, least=1),
    "direction": Field(kind="text", among=("asc", "desc")),
}
_UNPATCHED = ("is_published", "marketplace_listing_id")


def find(call: Call, name: str | None = None) -> Json:
    """Return the retriever with this id, else with this name; raises a 404."""
    name = name or call.path["retriever_id"]
    for column in ("retriever_id", "name"):
        sql = f"SELECT body FROM retrievers WHERE namespace_id = ? AND {column} = ?"  # noqa: S608 - one of two columns
        found = call.store.body(sql, call.namespace, name)
        if found is not None:
            return found
    raise not_found("retriever", name)


def get(call: Call) -> Json:
    """Return one retriever, bare."""
    return call.dialect.retriever(find(call))


def pager(call: Call) -> Window:
    """Return the window the common pager's query parameters ask for."""
    query = call.query
    return list_window(
        limit=call.integer("limit", least=1, most=1000),
        page_size=call.integer("page_size", least=1, most=1000),
        offset=call.integer("offset", least=0, most=MOST_OFFSET),
        page=call.integer("page", least=1),
        cursor=query.get("cursor") or query.get("next_cursor") or query.get("after"),
    )


def list_retrievers(call: Call) -> Json:
    """Return a page of retrievers, oldest first unless sorted."""
    window, include_total = pager(call), call.flag("include_total")
    asked = call.dialect.accept(call.body, _LIST)
    keep = _kept_by(asked)
    sql = "SELECT body FROM retrievers WHERE namespace_id = ? ORDER BY number"
    matching = [each for each in call.store.bodies(sql, call.namespace) if keep(each)]
    for order in reversed(orders_of(asked)):
        matching.sort(key=partial(sortable, field=order["field"]), reverse=order.get("direction") == "desc")
    page = matching[window.start : window.start + window.size]
    pages = list_pagination(window, returned=len(page), total=len(matching), include_total=include_total)
    shown = [call.dialect.retriever(each) for each in page]
    return {"results": shown, "total": len(matching), "pagination": pages, "warnings": None}


def _kept_by(asked: Json) -> Callable[[Json], bool]:
    words, exact = asked.get("search") or "", bool(asked.get("case_sensitive"))
    fold: Callable[[str], str] = str if exact else str.casefold
    try:
        conditions = [build_condition(each) for each in conditions_of(asked.get("filters") or {})]
    except StageError as error:
        raise Invalid([Complaint(kind="value_error", location=("body", "filters"), message=str(error))]) from error

    def keep(kept: Json) -> bool:
        text = f"{kept['retriever_name']}\n{kept.get('description') or ''}"
        return fold(words) in fold(text) and all(condition(kept) for condition in conditions)

    return keep


def conditions_of(filters: Json) -> list[Json]:
    """Return list filters as conditions: `AND`/`OR`/`NOT` as they are, `{field: value}` and `{field: {"$in": ...}}`."""
    found = []
    for key, value in filters.items():
        if key in {"AND", "OR", "NOT"}:
            found.append({key: value})
        elif isinstance(value, dict) and any(name.startswith("$") for name in value):
            found += [{"field": key, "operator": name[1:], "value": each} for name, each in value.items()]
        else:
            found.append({"field": key, "operator": "eq", "value": value})
    return found


def orders_of(asked: Json) -> list[Json]:
    """Return the `{field, direction}` a list call asked for. Raises `Invalid`."""
    orders: list[Json] = asked.get("sorts") or ([asked["sort"]] if asked.get("sort") else [])
    complaints = [
        complaint
        for number, order in enumerate(orders)
        for complaint in complaints_about(order, _SORT, strict=True, at=("body", "sorts", number))
    ]
    if complaints:
        raise Invalid(complaints)
    return orders


def sortable(kept: Json, field: str) -> tuple[bool, float, str]:
    """Return a key that orders whatever stands in the field: numbers first, then texts."""
    value = read_field(kept, field)
    number = float(value) if isinstance(value, int | float) else 0.0
    return isinstance(value, str), number, value if isinstance(value, str) else ""


def patch(call: Call) -> Json:
    """Update a retriever and return it wrapped; raises 400 (nothing given), 404, 409 and 422."""
    asked = call.dialect.accept(call.body, _PATCH if call.dialect.current else _OLD_PATCH)
    values = {key: value for key, value in asked.items() if value is not None or key in _CLEARABLE}
    if "name" in values:
        values["retriever_name"] = values.pop("name")
    if not values:
        raise bad_request("No fields provided for update")
    with call.store.writing():
        after = _updated(call, find(call), values)
    shown = {key: value for key, value in after.items() if key not in _UNPATCHED}
    return {"retriever": call.dialect.retriever(shown)}


def _updated(call: Call, kept: Json, values: Json) -> Json:
    changes = {**values, **_checked_structure(call, kept, values)}
    if changes.get("tags", ()) is None:
        changes["tags"] = []
    edit = call.edit()
    after = {**kept, **changes, "version": kept["version"] + 1, "updated_at": edit.at, "updated_by": edit.actor_id}
    sql = "UPDATE retrievers SET name = ?, body = ? WHERE namespace_id = ? AND retriever_id = ?"
    try:
        call.store.db.execute(sql, (after["retriever_name"], packed(after), call.namespace, after["retriever_id"]))
    except sqlite3.IntegrityError as error:
        raise already_exists("retriever", after["retriever_name"]) from error
    return after


def _checked_structure(call: Call, kept: Json, values: Json) -> Json:
    changes: Json = {}
    if "stages" in values:
        if kept.get("is_published"):
            raise _structural("stages", "The stages of a published retriever cannot be changed")
        changes["stages"] = _checked_stages(values["stages"])
    if "input_schema" in values:
        _check_evolution(kept["input_schema"], values["input_schema"])
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
            raise _structural("input_schema", f"Input {name!r} needs a 'type' out of {', '.join(INPUT_TYPES)}")
        if name in before and declared["type"] != before[name]["type"]:
            raise _structural("input_schema", f"Breaking change: input {name!r} would change its type")
        newly = declared.get("required") and not before.get(name, {}).get("required")
        if newly and declared.get("default") is None:
            raise _structural("input_schema", f"Breaking change: input {name!r} would become required")
    for name in before:
        if name not in after:
            raise _structural("input_schema", f"Breaking change: input {name!r} would be removed")


def _check_collections(call: Call, names: list[str]) -> None:
    sql = "SELECT 1 FROM documents WHERE namespace_id = ? AND collection_id = ? LIMIT 1"
    for name in names:
        if not call.store.one(sql, call.namespace, name):
            raise not_found("collection", name)


def _structural(field: str, message: str) -> Invalid:
    return Invalid([Complaint(kind="value_error", location=("body", field), message=message)])
