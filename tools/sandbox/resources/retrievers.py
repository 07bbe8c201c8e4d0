"""Retrievers: list and get, by id or by name. (Changing one is in retriever_patch.py.)"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tools.sandbox.errors import Complaint, Invalid, not_found
from tools.sandbox.request import Call
from tools.sandbox.rules.conditions import StageError, build_condition, read_field
from tools.sandbox.rules.paging import MOST_OFFSET, Window, list_pagination, list_window
from tools.sandbox.rules.validation import Field, Json, complaints_about

_OBJECT = Field(kind="object")
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


def find(call: Call, name: str | None = None) -> Json:
    """Return the retriever with this id, else with this name; raises a 404."""
    name = name or call.path["retriever_id"]
    for column in ("retriever_id", "name"):
        sql = f"SELECT body FROM retrievers WHERE namespace_id = ? AND {column} = ?"  # noqa: S608 - one of two columns
        retriever = call.store.body(sql, call.namespace, name)
        if retriever is not None:
            return retriever
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
    window = pager(call)
    include_total = call.flag("include_total")
    request = call.dialect.accept(call.body, _LIST)
    matches = _list_condition(request)
    sql = "SELECT body FROM retrievers WHERE namespace_id = ? ORDER BY number"
    retrievers = call.store.bodies(sql, call.namespace)
    matching = [retriever for retriever in retrievers if matches(retriever)]
    sort_rows(matching, orders_of(request))

    page = matching[window.start : window.start + window.size]
    pagination = list_pagination(
        window,
        returned=len(page),
        total=len(matching),
        include_total=include_total,
    )
    return {
        "results": [call.dialect.retriever(retriever) for retriever in page],
        "total": len(matching),
        "pagination": pagination,
        "warnings": None,
    }


def _list_condition(request: Json) -> Callable[[Json], bool]:
    """Return the test a listed retriever must pass: `search` and `filters`."""
    words = request.get("search") or ""
    fold: Callable[[str], str] = str if request.get("case_sensitive") else str.casefold
    filters = conditions_of(request.get("filters") or {})
    try:
        conditions = [build_condition(condition) for condition in filters]
    except StageError as error:
        location = ("body", "filters")
        complaint = Complaint(kind="value_error", location=location, message=str(error))
        raise Invalid([complaint]) from error

    def matches(retriever: Json) -> bool:
        text = f"{retriever['retriever_name']}\n{retriever.get('description') or ''}"
        if fold(words) not in fold(text):
            return False
        return all(condition(retriever) for condition in conditions)

    return matches


def conditions_of(filters: Json) -> list[Json]:
    """Return list filters as conditions.

    `AND`, `OR` and `NOT` stay as they are; `{field: value}` and `{field: {"$in": ...}}` are
    translated.
    """
    conditions = []
    for key, value in filters.items():
        if key in {"AND", "OR", "NOT"}:
            conditions.append({key: value})
        elif isinstance(value, dict) and any(name.startswith("$") for name in value):
            for name, operand in value.items():
                conditions.append({"field": key, "operator": name[1:], "value": operand})
        else:
            conditions.append({"field": key, "operator": "eq", "value": value})
    return conditions


def orders_of(request: Json) -> list[Json]:
    """Return the `{field, direction}` of a list call, most important first; raises `Invalid`."""
    orders: list[Json] = request.get("sorts") or []
    if not orders and request.get("sort"):
        orders = [request["sort"]]

    complaints: list[Complaint] = []
    for index, order in enumerate(orders):
        complaints += complaints_about(order, _SORT, strict=True, at=("body", "sorts", index))
    if complaints:
        raise Invalid(complaints)
    return orders


def sort_rows(rows: list[Json], orders: list[Json]) -> None:
    """Sort `rows` in place by `orders` of `orders_of`; numbers come before texts."""
    for order in reversed(orders):
        rows.sort(
            key=partial(_sort_key, field=order["field"]),
            reverse=order.get("direction") == "desc",
        )


def _sort_key(row: Json, field: str) -> tuple[bool, float, str]:
    value = read_field(row, field)
    if isinstance(value, str):
        return True, 0.0, value
    if isinstance(value, int | float):
        return False, float(value), ""
    return False, 0.0, ""
