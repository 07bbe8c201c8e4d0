"""The history without filters, page by page, and the names its filters offer: questions that every look asks."""

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
_MOST_PEOPLE = 500


def newest(cursor: str = "") -> pagination.Page[Event]:
    """Return one page of all events, newest first; raises `BadCursor`. One query."""

    def fetch(going: tuple[str, ...], values: list[Any], most: int) -> list[Event]:
        if not values:
            return _first()
        at, pk = values
        if not isinstance(at, datetime) or not isinstance(pk, int):
            raise pagination.BadCursor(cursor)
        return _older(at=at, pk=pk) if going == NEWEST_FIRST else _newer(at=at, pk=pk)

    return pagination.paged(fetch, order=NEWEST_FIRST, cursor=cursor, size=SIZE)


@asked
def _first() -> QuerySet[Event]:
    return Event.objects.newest()[: SIZE + 1]


@asked
def _older(at: datetime, pk: int) -> QuerySet[Event]:
    return Event.objects.filter(pagination.past(NEWEST_FIRST, [at, pk])).newest()[: SIZE + 1]


@asked
def _newer(at: datetime, pk: int) -> QuerySet[Event]:
    newer = Event.objects.filter(pagination.past(_OLDEST_FIRST, [at, pk]))
    return newer.defer("words").order_by(*_OLDEST_FIRST)[: SIZE + 1]


def retriever_names() -> dict[str, str]:
    """Return every retriever of the history by its name of last, by id. One query."""
    return {id_: next((name for name in reversed(names or []) if name), id_) for id_, names in _named()}


@asked
def _named() -> QuerySet[Any, Any]:
    return Event.objects.named()


@asked
def people() -> QuerySet[Any, Any]:
    """Return keys and names of everybody, by name, 500 at most."""
    return get_user_model().objects.order_by("username").values_list("pk", "username")[:_MOST_PEOPLE]
