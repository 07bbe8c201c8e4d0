"""One page of a list by Mixpeek's common pager.

A cursor starts after the last row of the page before, by the values of the order, so a row that goes or comes in
between moves no other row to another page. Offsets and page numbers count rows, as they do at Mixpeek.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

from reviewapp.api.errors import Problem, wrong
from reviewapp.api.serializers.retrievers import DEFAULT_PER_PAGE
from reviewapp.web import pagination

M = TypeVar("M", bound=Model)
MOST_ORDERS = 10


@dataclass(frozen=True, kw_only=True)
class Part(Generic[M]):
    """The rows of one page. `start` counts the rows before it, `next_cursor` is None on the last page."""

    rows: list[M]
    start: int
    size: int
    next_cursor: str | None


def part(rows: QuerySet[M], pager: Mapping[str, Any], order: Sequence[str]) -> Part[M]:
    """Return the page of `rows` that the pager asks for; raises a 400 for a cursor that is not ours.

    `order` is as for `pagination.page`: columns that are never null, the last one unique.
    """
    size: int = pager.get("limit") or pager.get("page_size") or DEFAULT_PER_PAGE
    cursor = pager.get("cursor") or pager.get("next_cursor") or pager.get("after")

    if cursor:
        start, after = _unpack(cursor)
        try:
            page = pagination.page(rows, order=order, cursor=after, size=size)
        except pagination.BadCursor as error:
            raise _not_ours() from error
        found, following = page.rows, page.after
    else:
        start = _start(pager, size)
        found = list(rows.order_by(*order)[start : start + size + 1])
        is_last = len(found) <= size
        found = found[:size]
        following = "" if is_last else pagination.written("after", found[-1], order)

    next_cursor = _pack(start + len(found), following) if following else None
    return Part(rows=found, start=start, size=size, next_cursor=next_cursor)


def order_of(asked: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    """Return the order that `sort` or `sorts` ask for, as column names; raises a 422 for fields not in `columns`."""
    sorts = asked.get("sorts") or ([asked["sort"]] if asked.get("sort") else [])
    order = []
    for number, sort in enumerate(sorts[:MOST_ORDERS]):
        if sort["field"] not in columns:
            message = f"Orders are offered by {', '.join(columns)}."
            raise wrong("body", "sorts", number, "field", message=message)
        sign = "-" if sort.get("direction") == "desc" else ""
        order.append(f"{sign}{columns[sort['field']]}")
    return order


def texts_of(filters: Mapping[str, Any], known: Iterable[str]) -> dict[str, list[str]]:
    """Return list filters as the texts that each field may have; raises a 422 for other fields and conditions."""
    accepted = list(known)
    wanted = {}
    for name, value in filters.items():
        if name not in accepted:
            message = f"Filters are offered on {', '.join(accepted)}."
            raise wrong("body", "filters", name[:100], message=message)
        is_choice = isinstance(value, dict) and set(value) == {"$in"}
        texts = value["$in"] if is_choice else [value]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            message = 'This must be a text or {"$in": [texts]}.'
            raise wrong("body", "filters", name, message=message)
        wanted[name] = texts
    return wanted


def _start(pager: Mapping[str, Any], size: int) -> int:
    offset: int | None = pager.get("offset")
    if offset is not None:
        return offset
    number: int = pager.get("page") or 1
    return (number - 1) * size


def _pack(start: int, after: str) -> str:
    content = json.dumps([start, after])
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _unpack(cursor: str) -> tuple[int, str]:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        start, after = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, RecursionError) as error:
        raise _not_ours() from error
    if type(start) is not int or not 0 <= start < 2**62 or not isinstance(after, str) or not after:
        raise _not_ours()
    return start, after


def _not_ours() -> Problem:
    return Problem(400, "The cursor is not one that this gateway gave out.")
