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
        matching.sort(
            key=partial(sortable, field=order["field"]),
            reverse=order.get("direction") == "desc",
        )
    page = matching[window.start : window.start + window.size]
    pages = list_pagination(
        window,
        returned=len(page),
        total=len(matching),
        include_total=include_total,
    )
    shown = [call.dialect.retriever(each) for each in page]
    return {"results": shown, "total": len(matching), "pagination": pages, "warnings": None}


def _kept_by(asked: Json) -> Callable[[Json], bool]:
    words, exact = asked.get("search") or "", bool(asked.get("case_sensitive"))
    fold: Callable[[str], str] = str if exact else str.casefold
    try:
        conditions = [build_condition(each) for each in conditions_of(asked.get("filters") or {})]
    except StageError as error:
        raise Invalid(
            [Complaint(kind="value_error", location=("body", "filters"), message=str(error))],
        ) from error

    def keep(kept: Json) -> bool:
        text = f"{kept['retriever_name']}\n{kept.get('description') or ''}"
        return fold(words) in fold(text) and all(condition(kept) for condition in conditions)

    return keep


def conditions_of(filters: Json) -> list[Json]:
    """Return list filters as conditions: `AND`/`OR`/`NOT` as they are, `{field: value}` and
    `{field: {"$in": ...}}`.
    """
    found = []
    for key, value in filters.items():
        if key in {"AND", "OR", "NOT"}:
            found.append({key: value})
        elif isinstance(value, dict) and any(name.startswith("$") for name in value):
            found += [
                {"field": key, "operator": name[1:], "value": each} for name, each in value.items()
            ]
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
