"""Hot queries of the history page: the unfiltered pages, and the choices of its filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reviewapp.audit.models import EventRow
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.postgres.statement import sql_file
from reviewapp.web import pagination

SIZE = 50
# Later than any event.
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class FilterChoices:
    """What the filters offer: (key, name) of at most 500 people, and retriever names by their id.

    A retriever has the last name that the history knows.
    """

    people: list[tuple[int, str]]
    retriever_names: dict[str, str]


_OLDER_EVENTS = sql_file(__file__, "older_events.sql", EventRow)
_NEWER_EVENTS = sql_file(__file__, "newer_events.sql", EventRow)
_FILTER_CHOICES = sql_file(__file__, "filter_choices.sql", FilterChoices)


def newest_page(cursor: str = "") -> pagination.Page[EventRow]:
    """Return one page of all events, newest first; raises `BadCursor`. One query."""

    def fetch(ordering: tuple[str, ...], values: list[Any], limit: int) -> list[EventRow]:
        at, pk = values or (_END_OF_TIME, 0)
        if not isinstance(at, datetime) or not isinstance(pk, int):
            raise pagination.BadCursor(cursor)

        if ordering == NEWEST_FIRST:
            return _OLDER_EVENTS.rows(at=at, id=pk, limit=limit)
        return _NEWER_EVENTS.rows(at=at, id=pk, limit=limit)

    return pagination.paginate(fetch, order=NEWEST_FIRST, cursor=cursor, size=SIZE)


def filter_choices() -> FilterChoices:
    """Return what the filters offer now. One query."""
    (choices,) = _FILTER_CHOICES.rows()
    return choices
