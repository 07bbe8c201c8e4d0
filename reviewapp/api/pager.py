"""One page of a list by Mixpeek's common pager, and the cursors of the API.

A cursor starts after the last row of the page before, by the values of the order, so a row that
goes or comes in between moves no other row to another page. Offsets and page numbers count rows, as
they do at Mixpeek.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from reviewapp.api.errors import Problem, invalid_value
from reviewapp.api.serializers.retrievers import DEFAULT_PER_PAGE
from reviewapp.web import pagination

M = TypeVar("M", bound=Model)
MAX_SORT_FIELDS = 10


@dataclass(frozen=True, kw_only=True)
class PagerPage(Generic[M]):
    """The rows of one page.

    `start` counts the rows before it, `next_cursor` is None on the last page.
    """

    rows: list[M]
    start: int
    size: int
    next_cursor: str | None


def paginate_queryset(
    rows: QuerySet[M],
    pager: Mapping[str, Any],
    order: Sequence[str],
) -> PagerPage[M]:
    """Return the page of `rows` that the pager requests; raises a 400 for a foreign cursor.

    `order` is as for `pagination.page`: columns that are never null, the last one unique.
    """
    size: int = pager.get("limit") or pager.get("page_size") or DEFAULT_PER_PAGE
    cursor = pager.get("cursor") or pager.get("next_cursor") or pager.get("after")

    if cursor:
        start, after = unpack_position(cursor)
        try:
            page = pagination.page(rows, order=order, cursor=after, size=size)
        except pagination.BadCursor as error:
            raise _invalid_cursor() from error
        page_rows = page.rows
        after = page.after
    else:
        number: int = pager.get("page") or 1
        start = (number - 1) * size
        if pager.get("offset") is not None:
            start = pager["offset"]
        fetched = list(rows.order_by(*order)[start : start + size + 1])
        page_rows = fetched[:size]
        after = ""
        if len(fetched) > size:
            after = pagination.encode_cursor("after", page_rows[-1], order)

    next_cursor = None
    if after:
        next_cursor = pagination.pack_cursor([start + len(page_rows), after])
    return PagerPage(rows=page_rows, start=start, size=size, next_cursor=next_cursor)


def parse_sort(data: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    """Return the order of `sort` or `sorts` as column names; raises a 422 for unknown fields."""
    sorts = data.get("sorts") or []
    if not sorts and data.get("sort"):
        sorts = [data["sort"]]

    order = []
    for index, sort in enumerate(sorts[:MAX_SORT_FIELDS]):
        if sort["field"] not in columns:
            message = _("You can sort by %(names)s.") % {"names": ", ".join(columns)}
            raise invalid_value("body", "sorts", index, "field", message=message)
        sign = "-" if sort.get("direction") == "desc" else ""
        column = columns[sort["field"]]
        order.append(f"{sign}{column}")
    return order


def parse_filters(filters: Mapping[str, Any], known: Iterable[str]) -> dict[str, list[str]]:
    """Return the texts that each filtered field may have; raises a 422 for unknown fields."""
    accepted = list(known)
    texts_by_field = {}
    for name, value in filters.items():
        if name not in accepted:
            message = _("You can filter by %(names)s.") % {"names": ", ".join(accepted)}
            raise invalid_value("body", "filters", name[:100], message=message)
        is_choice = isinstance(value, dict) and set(value) == {"$in"}
        texts = value["$in"] if is_choice else [value]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            message = _('This must be a text or {"$in": [texts]}.')
            raise invalid_value("body", "filters", name, message=message)
        texts_by_field[name] = texts
    return texts_by_field


def unpack_numbers(cursor: str, *names: str) -> list[int]:
    """Return the whole numbers under these names; raises a 400 for anything else."""
    try:
        content = pagination.unpack_cursor(cursor)
        numbers = [content[name] for name in names]
    except (ValueError, TypeError, KeyError) as error:
        raise _invalid_cursor() from error

    if not all(map(_is_index, numbers)):
        raise _invalid_cursor()
    return numbers


def unpack_position(cursor: str) -> tuple[int, str]:
    """Return the number of rows before a page, and its cursor; raises a 400 for a foreign one."""
    try:
        start, after = pagination.unpack_cursor(cursor)
    except (ValueError, TypeError) as error:
        raise _invalid_cursor() from error
    if not _is_index(start) or not isinstance(after, str) or not after:
        raise _invalid_cursor()
    return start, after


def _is_index(value: object) -> bool:
    # To Python, true and false are integers.
    return type(value) is int and 0 <= value < 2**62


def _invalid_cursor() -> Problem:
    message = _(
        "The cursor is not valid. Use one from a previous answer, or start without a cursor."
    )
    return Problem(400, message)
