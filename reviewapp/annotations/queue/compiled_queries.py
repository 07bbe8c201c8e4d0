"""Which questions of the queue are the same question: their SQL is kept (`reviewapp.asked`), one text for each kind.

What a filter picks from a long list is first replaced by stand-ins; each time, the values are put in their places.
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

PERSON, _RETRIEVER, _REVIEWER = (stand_in(int, at) for at in range(3))
SINCE, _LABEL = stand_in(datetime, 3), stand_in(str, 4)
WORDS, KEYS = stand_in(str, 5), stand_in(str, 6)
NAMES: Mapping[Any, str] = {
    PERSON: "person",
    _RETRIEVER: "retriever",
    _REVIEWER: "reviewer",
    SINCE: "since",
    _LABEL: "label",
    WORDS: "words",
    KEYS: "keys",
}
FREE = 7
# What the ordering columns hold.
KINDS: Mapping[str, type] = {
    "id": int,
    "sureness": float,
    "relevance": float,
    "settled_at": datetime,
    "decided_at": datetime,
}


def kind(chosen: QueueFilter) -> QueueFilter:
    """Return the filter with stand-ins for what a person picked from a long list, and without words to search for."""
    return replace(
        chosen,
        q="",
        retriever=_RETRIEVER if chosen.retriever else None,
        reviewer=_REVIEWER if chosen.reviewer else None,
        label=_LABEL if chosen.label else "",
        problems=(),
    )


def meant(chosen: QueueFilter, person: User) -> dict[str, Any]:
    """Return the values that the stand-ins of a filter stand for."""
    picked = {"retriever": chosen.retriever, "reviewer": chosen.reviewer, "label": chosen.label}
    return {"person": person.pk, "words": chosen.q, **picked}


def place(going: Sequence[str], at: int = 0) -> list[Any]:
    """Return stand-ins for a row's place in an order; those of another place begin `at` further on."""
    return [stand_in(KINDS[name.lstrip("-")], FREE + at + number) for number, name in enumerate(going)]
