"""Pages by key: each page starts after the last row of the one before, so page 3,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.expressions import OrderBy
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

_MOST = 2**63
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")
# The columns to go along, the values to start beyond (none: from the start), and how many rows to fetch.
Fetch = Callable[[tuple[str, ...], list[Any], int], list[Row]]
S = TypeVar("S", bound=QuerySet[Any])


class BadCursor(ValueError):
    """The cursor is not one that a page of this order gave out; start from the first page."""


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, and the cursors of the pages around them (empty when there is none)."""

    rows: list[Row]
    after: str
    before: str


def page(queryset: QuerySet[Any, Row], *, order: Sequence[str], cursor: str = "", size: int = 30) -> Page[Row]:
    """Return up to `size` rows in `order` from `cursor` on; raises `BadCursor`.

    `order` names columns that are never null, `-` for descending, the last one unique. A cursor holds the
    direction and the values of the row it starts beyond.
    """

    def fetch(going: tuple[str, ...], values: list[Any], most: int) -> list[Row]:
        try:
            # A cursor may hold anything, and these comparisons refuse what their column cannot hold.
            rows = queryset.filter(_checked(going, values)) if values else queryset
        except (ValueError, TypeError, ValidationError) as error:
            raise BadCursor(cursor) from error
        return list(rows.order_by(*going)[:most])

    return paged(fetch, order=order, cursor=cursor, size=size)


def paged(fetch: Fetch[Row], *, order: Sequence[str], cursor: str = "", size: int = 30) -> Page[Row]:
    """Return what `page` would of rows that `fetch` gets: it may know a quicker way, and raises `BadCursor`."""
    backwards, values = _read(cursor, order)
    going = turned(order) if backwards else tuple(order)
    found = fetch(going, values, size + 1)
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    has_after, has_before = (bool(rows), more) if backwards else (more, bool(values) and bool(rows))
    return Page(
        rows=rows,
        after=written("after", rows[-1], order) if has_after else "",
        before=written("before", rows[0], order) if has_before else "",
    )


def beyond(queryset: S, *, order: Sequence[str], row: Model, backwards: bool = False) -> S:
    """Return what comes after `row` in `order`, nearest first; `backwards`: what comes before it, nearest first.

    The row need not be in the queryset: only its values of the ordering columns are looked at.
    """
    going = turned(order) if backwards else tuple(order)
    values = [getattr(row, name.lstrip("-")) for name in order]
    return queryset.filter(past(going, values)).order_by(*going)


def turned(order: Sequence[str]) -> tuple[str, ...]:
    """Return the opposite order."""
    return tuple(map(_turned, order))


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def past(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return what is true of the rows that come after one with these values in `order`; they fit the columns.

    Columns all go the same way, so that it is one comparison of rows, and one place of an index where it begins.
    """
    return _compared(order, values, LessThan if order[0].startswith("-") else GreaterThan)


def until(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return what is true of the row with these values in `order`, and of all before it."""
    return _compared(order, values, GreaterThanOrEqual if order[0].startswith("-") else LessThanOrEqual)


def sorting(order: Sequence[str]) -> OrderBy:
    """Return the order as one expression, which no index has: rows are found first, and then sorted."""
    columns = _columns(order)
    return columns.desc() if order[0].startswith("-") else columns.asc()


class _Together(Func):
    function = "ROW"
    # Of no type of its own: each column is compared as what it is.
    output_field = TextField()


def _compared(order: Sequence[str], values: Sequence[Any], lookup: type[Any]) -> Q:
    return Q(lookup(_columns(order), _Together(*map(Value, values))))


def _columns(order: Sequence[str]) -> _Together:
    return _Together(*(F(name.lstrip("-")) for name in order))


def _checked(order: Sequence[str], values: Sequence[Any]) -> Q:
    # The plain bound on the first column lets PostgreSQL enter the index there; the rest settles ties.
    def than(name: str, value: Any, equal: str = "") -> Q:
        return Q(**{f"{name.lstrip('-')}__{'lt' if name.startswith('-') else 'gt'}{equal}": value})

    ties = Q()
    for at in range(len(order)):
        same = Q(**{name.lstrip("-"): value for name, value in zip(order[:at], values, strict=False)})
        ties |= same & than(order[at], values[at])
    return than(order[0], values[0], "e") & ties


def written(direction: str, row: object, order: Sequence[str]) -> str:
    """Return the cursor of the page that lies `after` (or `before`) a row, of which only these columns are read."""
    values = [getattr(row, name.lstrip("-")) for name in order]
    plain = [{"at": value.isoformat()} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([direction, *plain]).encode()).decode().rstrip("=")


def _read(cursor: str, order: Sequence[str]) -> tuple[bool, list[Any]]:
    if not cursor:
        return False, []
    try:
        direction, *plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value for value in plain]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadCursor(cursor) from error
    if direction not in {"after", "before"} or len(values) != len(order) or not all(map(_sound, values)):
        raise BadCursor(cursor)
    return direction == "before", values


def _sound(value: Any) -> bool:
    """Return whether PostgreSQL can compare a column with `value`."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, datetime):
        # The outermost years cannot be moved between time zones.
        return value.utcoffset() is not None and 1 < value.year < 9999
    return isinstance(value, int | float) and -_MOST < value < _MOST
