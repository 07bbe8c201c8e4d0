"""The pages of the queue's list, and the item before another one in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from reviewapp.annotations.queue import conditions
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.list_query import KEYS, ListQuery
from reviewapp.annotations.queue.ordering import COLUMN_TYPES
from reviewapp.annotations.queue.row import ListRow
from reviewapp.annotations.queue.search import find_matches, search_page
from reviewapp.postgres.statement import sql_file
from reviewapp.web import pagination

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation
    from reviewapp.annotations.queue.search import Matches

Row = TypeVar("Row")

_PAGE = sql_file(__file__, "page.sql", ListRow)


def load_queue_page(
    filters: QueueFilter,
    person: User,
    *,
    cursor: str = "",
    found: Matches | None = None,
) -> pagination.Page[ListRow]:
    """Return one page of the rows that `filters` show to `person`.

    One query, and a few more for a search; pass `found` if the matches were already looked up.
    Raises `BadCursor`.
    """

    def fetch(ordering: tuple[str, ...], values: list[Any], limit: int) -> list[ListRow]:
        for name, value in zip(ordering, values, strict=False):
            expected = COLUMN_TYPES[name.lstrip("-")]
            is_whole_float = expected is float and isinstance(value, int)
            if isinstance(value, bool) or not (is_whole_float or isinstance(value, expected)):
                raise pagination.BadCursor(cursor)

        query = ListQuery(
            statement=_PAGE,
            filters=filters,
            pieces=conditions.in_list(filters),
            parameters=conditions.parameters(filters, person),
            ordering=ordering,
            limit=limit,
        )
        return _read(query, person, found, after=values)

    return pagination.paginate(fetch, order=filters.order, cursor=cursor)


def previous_key(filters: QueueFilter, person: User, annotation: Annotation) -> int | None:
    """Return the key of the item before `annotation` in the list; None for the first one."""
    ordering = pagination.reverse_ordering(filters.order)
    query = ListQuery(
        statement=KEYS,
        filters=filters,
        pieces=conditions.in_list(filters),
        parameters=conditions.parameters(filters, person),
        ordering=ordering,
        limit=1,
    )
    position = [getattr(annotation, name.lstrip("-")) for name in ordering]
    keys = _read(query, person, after=position)
    return next(iter(keys), None)


def first_keys(filters: QueueFilter, person: User, *, limit: int) -> list[int]:
    """Return the keys of the first items of the list, in its order, `limit` at most."""
    query = ListQuery(
        statement=KEYS,
        filters=filters,
        pieces=conditions.in_list(filters),
        parameters=conditions.parameters(filters, person),
        ordering=filters.order,
        limit=limit,
    )
    return _read(query, person, after=[])


def _read(
    query: ListQuery[Row],
    person: User,
    found: Matches | None = None,
    *,
    after: Sequence[Any],
) -> list[Row]:
    """Return the first rows of a list after a position, of those that match its search."""
    if not query.filters.q:
        return query.rows(after=after)

    matches = found or find_matches(query.filters, person)
    return search_page(query, matches, after=after)
