"""Placeholders and cache keys for the queue's compiled queries (`reviewapp.asked`).

Filters that differ only in a value picked from a long list share one SQL text. That value is
replaced by a placeholder before the query is compiled, and passed as a parameter each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.asked import stand_in

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

PERSON = stand_in(int, 0)
_RETRIEVER = stand_in(int, 1)
_REVIEWER = stand_in(int, 2)
SINCE = stand_in(datetime, 3)
_LABEL = stand_in(str, 4)
WORDS = stand_in(str, 5)
KEYS = stand_in(str, 6)

PARAMETER_NAMES: Mapping[Any, str] = {
    PERSON: "person",
    _RETRIEVER: "retriever",
    _REVIEWER: "reviewer",
    SINCE: "since",
    _LABEL: "label",
    WORDS: "words",
    KEYS: "keys",
}
FIRST_FREE_NUMBER = 7

# The types of the ordering columns.
COLUMN_TYPES: Mapping[str, type] = {
    "id": int,
    "sureness": float,
    "relevance": float,
    "settled_at": datetime,
    "decided_at": datetime,
}


def with_placeholders(filters: QueueFilter) -> QueueFilter:
    """Return the filters with placeholders for values from long lists, and without search words."""
    return replace(
        filters,
        q="",
        retriever=_RETRIEVER if filters.retriever else None,
        reviewer=_REVIEWER if filters.reviewer else None,
        label=_LABEL if filters.label else "",
        problems=(),
    )


def parameters(filters: QueueFilter, person: User) -> dict[str, Any]:
    """Return the values of the placeholders."""
    return {
        "person": person.pk,
        "words": filters.q,
        "retriever": filters.retriever,
        "reviewer": filters.reviewer,
        "label": filters.label,
    }


def position_placeholders(ordering: Sequence[str], offset: int = 0) -> list[Any]:
    """Return placeholders for a position in an ordering; a second position needs an `offset`."""
    first = FIRST_FREE_NUMBER + offset
    placeholders = []
    for number, name in enumerate(ordering, start=first):
        placeholders.append(stand_in(COLUMN_TYPES[name.lstrip("-")], number))
    return placeholders
