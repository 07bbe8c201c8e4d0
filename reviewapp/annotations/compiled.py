"""Queries that are built once: Django takes milliseconds to turn a large QuerySet into SQL that is always the same.

What a filter asks for is first replaced by stand-ins, so that there is one SQL text for each kind of question. It is
kept, and each time the values are put where their stand-ins are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reviewapp.annotations.filters import QueueFilter

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# Nobody can ask for these: no key is negative, nothing is that old, and nobody types this character.
PERSON, _RETRIEVER, _REVIEWER = -7_000_001, -7_000_002, -7_000_003
SINCE = datetime(1, 1, 2, tzinfo=UTC)
_LABEL = "\ue000label"


def kind(chosen: QueueFilter) -> QueueFilter:
    """Return the filter with stand-ins for what a person picked from a long list; searches must not be compiled."""
    return replace(
        chosen,
        retriever=_RETRIEVER if chosen.retriever else None,
        reviewer=_REVIEWER if chosen.reviewer else None,
        label=_LABEL if chosen.label else "",
        problems=(),
    )


def filled(parameters: Sequence[Any], chosen: QueueFilter, person: User, since: datetime = SINCE) -> list[Any]:
    """Return a query's parameters with the stand-ins replaced by what is meant."""
    meant = {
        PERSON: person.pk,
        _RETRIEVER: chosen.retriever,
        _REVIEWER: chosen.reviewer,
        _LABEL: chosen.label,
        SINCE: since,
    }
    return [meant.get(each, each) for each in parameters]
