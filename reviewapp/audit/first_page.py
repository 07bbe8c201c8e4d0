"""Hot queries of the history page: the unfiltered pages, and the choices of its filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from reviewapp.audit.actions import OF_PEOPLE, Origin
from reviewapp.audit.models import EventRow
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.postgres.statement import Statement, sql_file
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


class Shown(TextChoices):
    """Whose doing the history shows, unless a filter names an action."""

    PEOPLE = "people", _("People")
    MIXPEEK = "mixpeek", _("Changes at Mixpeek")
    DELIVERIES = "deliveries", _("Deliveries and jobs")
    ALL = "all", _("Everything")


# By what is shown, the origins of the events; none for all.
ORIGINS: dict[str, tuple[str, ...]] = {
    Shown.PEOPLE: OF_PEOPLE,
    Shown.MIXPEEK: (Origin.PULL, Origin.WEBHOOK),
    Shown.DELIVERIES: (Origin.WORKER,),
    Shown.ALL: (),
}
_OLDER_EVENTS = sql_file(__file__, "older_events.sql", EventRow)
_NEWER_EVENTS = sql_file(__file__, "newer_events.sql", EventRow)
_FILTER_CHOICES = sql_file(__file__, "filter_choices.sql", FilterChoices)


def _by_shown(statement: Statement[EventRow]) -> dict[str, Statement[EventRow]]:
    """Return the statement with the condition of each kind: an index needs a constant one."""
    statements = {}
    for shown, origins in ORIGINS.items():
        condition = "true"
        if origins:
            listed = ", ".join(f"'{origin}'" for origin in origins)
            condition = f"origin IN ({listed})"
        statements[shown] = statement.with_pieces(condition=condition)
    return statements


_OLDER = _by_shown(_OLDER_EVENTS)
_NEWER = _by_shown(_NEWER_EVENTS)


def newest_page(
    cursor: str = "",
    *,
    shown: str = Shown.ALL,
    size: int = SIZE,
) -> pagination.Page[EventRow]:
    """Return one page of the events of a kind, newest first; raises `BadCursor`. One query."""

    def fetch(ordering: tuple[str, ...], values: list[Any], limit: int) -> list[EventRow]:
        at, pk = values or (_END_OF_TIME, 0)
        if not isinstance(at, datetime) or not isinstance(pk, int):
            raise pagination.BadCursor(cursor)

        if ordering == NEWEST_FIRST:
            return _OLDER[shown].rows(at=at, id=pk, limit=limit)
        return _NEWER[shown].rows(at=at, id=pk, limit=limit)

    return pagination.paginate(fetch, order=NEWEST_FIRST, cursor=cursor, size=size)


def filter_choices() -> FilterChoices:
    """Return what the filters offer now. One query."""
    (choices,) = _FILTER_CHOICES.rows()
    return choices
