"""Keyset pagination: a page starts after the last row of the one before.

So page 3,000 costs as much as page 1.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from reviewapp.storable import is_storable

_BIGINT_LIMIT = 2**63

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")
# The ordering, the values to start after (none: from the start), and the number of rows to fetch.
Fetch = Callable[[tuple[str, ...], list[Any], int], list[Row]]


class BadCursor(ValueError):
    """The cursor does not belong to a page of this order; start from the first page."""


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """Rows and the cursors of the pages around them; an empty cursor means that there is none.

    `is_fallback`: it is the first page, because the requested one does not exist.
    """

    rows: list[Row]
    after: str
    before: str
    is_fallback: bool = False


@dataclass(frozen=True, kw_only=True)
class PageLinks:
    """The links of `_pager.html` to the pages around one; they keep the query's parameters."""

    page: Page[Any]
    path: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cursor_name: str = "cursor"

    @property
    def before(self) -> str:
        """The address of the page before, "" on the first one."""
        return self._address(self.page.before)

    @property
    def after(self) -> str:
        """The address of the page after, "" on the last one."""
        return self._address(self.page.after)

    def _address(self, cursor: str) -> str:
        if not cursor:
            return ""
        query = urlencode({**self.parameters, self.cursor_name: cursor}, doseq=True)
        return f"{self.path}?{query}"


def page_or_first(load: Callable[[str], Page[Row]], cursor: str) -> Page[Row]:
    """Return the page that `load` returns for a cursor, or the first one if that does not exist."""
    try:
        return load(cursor)
    except BadCursor:
        return replace(load(""), is_fallback=True)


def page(
    queryset: QuerySet[Any, Row],
    *,
    order: Sequence[str],
    cursor: str = "",
    size: int = 30,
) -> Page[Row]:
    """Return up to `size` rows in `order` from `cursor` on; raises `BadCursor`.

    `order` names columns that are never null, `-` for descending, the last one unique. A cursor
    holds the direction and the values of the row it starts after.
    """

    def fetch(ordering: tuple[str, ...], values: list[Any], limit: int) -> list[Row]:
        rows = queryset
        if values:
            try:
                # The values of a cursor may not fit their columns; then these comparisons raise.
                rows = queryset.filter(_after_untrusted_q(ordering, values))
            except (ValueError, TypeError, ValidationError) as error:
                raise BadCursor(cursor) from error
        return list(rows.order_by(*ordering)[:limit])

    return paginate(fetch, order=order, cursor=cursor, size=size)


def paginate(
    fetch: Fetch[Row],
    *,
    order: Sequence[str],
    cursor: str = "",
    size: int = 30,
) -> Page[Row]:
    """Return what `page` would return, of the rows of `fetch`, which may raise `BadCursor`."""
    backwards, values = decode_cursor(cursor, order)
    ordering = reverse_ordering(order) if backwards else tuple(order)

    fetched = fetch(ordering, values, size + 1)
    has_more = len(fetched) > size
    rows = fetched[:size]

    if backwards:
        rows.reverse()
        has_after = bool(rows)
        has_before = has_more
    else:
        has_after = has_more
        has_before = bool(values) and bool(rows)

    after = ""
    if has_after:
        after = encode_cursor("after", rows[-1], order)
    before = ""
    if has_before:
        before = encode_cursor("before", rows[0], order)
    return Page(rows=rows, after=after, before=before)


def reverse_ordering(order: Sequence[str]) -> tuple[str, ...]:
    """Return the reverse order."""
    reverse = []
    for name in order:
        if name.startswith("-"):
            reverse.append(name[1:])
        else:
            reverse.append(f"-{name}")
    return tuple(reverse)


def _after_untrusted_q(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition for the rows after these values, column by column.

    Each lookup checks the type of its value.
    """
    after = Q()
    for index, name in enumerate(order):
        tied_columns = [tied.lstrip("-") for tied in order[:index]]
        is_tie = Q(**dict(zip(tied_columns, values, strict=False)))
        after |= is_tie & _column_after_q(name, values[index])

    # This bound on the first column lets PostgreSQL start in the index; the rest decides ties.
    return _column_after_q(order[0], values[0], or_equal=True) & after


def _column_after_q(name: str, value: Any, *, or_equal: bool = False) -> Q:
    lookup = "lt" if name.startswith("-") else "gt"
    if or_equal:
        lookup += "e"
    return Q(**{f"{name.lstrip('-')}__{lookup}": value})


def encode_cursor(direction: str, row: object, order: Sequence[str]) -> str:
    """Return the cursor of the page `after` (or `before`) a row, of which `order` is read."""
    content: list[Any] = [direction]
    for name in order:
        value = getattr(row, name.lstrip("-"))
        if isinstance(value, datetime):
            content.append({"at": value.isoformat()})
        else:
            content.append(value)
    return pack_cursor(content)


def pack_cursor(content: Any) -> str:
    """Return JSON as an opaque text for a URL."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unpack_cursor(cursor: str) -> Any:
    """Return the JSON in a cursor; raises `BadCursor`."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError) as error:
        raise BadCursor(cursor) from error


def decode_cursor(cursor: str, order: Sequence[str]) -> tuple[bool, list[Any]]:
    """Return whether a cursor goes backwards, and the values it starts after."""
    if not cursor:
        return False, []

    values = []
    try:
        direction, *encoded = unpack_cursor(cursor)
        for value in encoded:
            if isinstance(value, dict):
                values.append(datetime.fromisoformat(value["at"]))
            else:
                values.append(value)
    except (ValueError, TypeError, KeyError) as error:
        raise BadCursor(cursor) from error

    # A tuple, because any JSON may stand here, and a list can be in no set.
    is_valid = direction in ("after", "before") and len(values) == len(order)
    if not is_valid or not all(map(_is_comparable, values)):
        raise BadCursor(cursor)
    return direction == "before", values


def _is_comparable(value: Any) -> bool:
    """Return whether PostgreSQL can compare a column with `value`."""
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, datetime):
        # The first and last years cannot be moved between time zones.
        return value.utcoffset() is not None and 1 < value.year < 9999
    return isinstance(value, int | float) and -_BIGINT_LIMIT < value < _BIGINT_LIMIT
