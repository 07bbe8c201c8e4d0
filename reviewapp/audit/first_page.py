"""Hot queries of the history page: the unfiltered pages, and the choices of its filters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from reviewapp.asked import asked
from reviewapp.audit.models import Event
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.web import pagination

SIZE = 50
_OLDEST_FIRST = ("at", "id")
_MAX_PEOPLE = 500


def newest_page(cursor: str = "") -> pagination.Page[Event]:
    """Return one page of all events, newest first; raises `BadCursor`. One query."""

    def fetch(ordering: tuple[str, ...], values: list[Any], limit: int) -> list[Event]:
        if not values:
            return _first_events()

        at, pk = values
        if not isinstance(at, datetime) or not isinstance(pk, int):
            raise pagination.BadCursor(cursor)
        if ordering == NEWEST_FIRST:
            return _older_events(at=at, pk=pk)
        return _newer_events(at=at, pk=pk)

    return pagination.paginate(fetch, order=NEWEST_FIRST, cursor=cursor, size=SIZE)


@asked
def _first_events() -> QuerySet[Event]:
    return Event.objects.newest()[: SIZE + 1]


@asked
def _older_events(at: datetime, pk: int) -> QuerySet[Event]:
    older = Event.objects.filter(pagination.after_q(NEWEST_FIRST, [at, pk]))
    return older.newest()[: SIZE + 1]


@asked
def _newer_events(at: datetime, pk: int) -> QuerySet[Event]:
    newer = Event.objects.filter(pagination.after_q(_OLDEST_FIRST, [at, pk]))
    return newer.defer("words").order_by(*_OLDEST_FIRST)[: SIZE + 1]


def retriever_names() -> dict[str, str]:
    """Return the last name of every retriever in the history, by its id. One query."""
    last_names = {}
    for retriever_id, change in _last_renames():
        old_and_new = change or []
        names = [name for name in reversed(old_and_new) if name]
        last_names[retriever_id] = names[0] if names else retriever_id
    return last_names


@asked
def _last_renames() -> QuerySet[Any, Any]:
    return Event.objects.named()


@asked
def person_choices() -> QuerySet[Any, Any]:
    """Return the keys and names of all people, by name, at most 500."""
    everybody = get_user_model().objects.order_by("username")
    return everybody.values_list("pk", "username")[:_MAX_PEOPLE]
