"""Count the items of each chip of the queue, and a person's progress."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from reviewapp.annotations.queue import conditions
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.querysets import MAX_QUEUE_COUNT
from reviewapp.annotations.queue.search import find_matches
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.postgres.statement import Statement, sql_file

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.queue.search import Matches


@dataclass(frozen=True)
class ItemCounts:
    """The number of items of each chip, by the value of its `Show`, and of what is in none."""

    waiting: int
    mine: int
    deferred: int
    drafts: int
    decided: int
    conflict: int
    undelivered: int
    all: int
    # What the person has skipped waits for others.
    skipped: int

    def by_show(self) -> dict[Show, int]:
        """Return the number of items of each chip."""
        return {show: getattr(self, show.value) for show in Show}


@dataclass(frozen=True)
class ProgressCounts:
    """How many items a person decided, and how many a filter shows."""

    done: int
    left: int


_COUNTS = sql_file(__file__, "counts.sql", ItemCounts)
_PROGRESS = sql_file(__file__, "progress.sql", ProgressCounts)


def count_items(
    filters: QueueFilter,
    person: User,
    *,
    found: Matches | None = None,
) -> ItemCounts:
    """Return the numbers of items under these filters, each at most `MAX_QUEUE_COUNT`.

    A search counts only its first `SEARCH_COUNT_LIMIT` matches: if `Matches.at_least` is true,
    there may be more of each. Pass `found` if the matches were already looked up.
    """
    pieces, keys = _counted(filters, person, found)
    if filters.q and not keys:
        return ItemCounts(*[0] * len(fields(ItemCounts)))

    statement = _counts_statement(tuple(pieces), has_reviewer=bool(filters.reviewer))
    params = conditions.parameters(filters, person)
    (counts,) = statement.rows(**params, keys=keys)
    return counts


def done_and_left(filters: QueueFilter, person: User, *, since: datetime) -> tuple[int, int]:
    """Return how many items `person` decided since then and how many `filters` show, capped."""
    pieces, keys = _counted(filters, person)
    chip = conditions.of_chip(filters.show, has_reviewer=bool(filters.reviewer))
    statement = _PROGRESS.with_pieces(
        cap=str(MAX_QUEUE_COUNT),
        left=conditions.all_of([*pieces, *chip]),
    )
    params = conditions.parameters(filters, person)
    (progress,) = statement.rows(**params, keys=keys, since=since)
    return progress.done, progress.left


# Each page of the queue fills in the same places.
@bounded_cache(most_bytes=MIB, size=lambda statement: 4 * len(statement.text))
def _counts_statement(pieces: tuple[str, ...], *, has_reviewer: bool) -> Statement[ItemCounts]:
    condition_by_show = {}
    for show in Show:
        chip = conditions.of_chip(show, has_reviewer=has_reviewer)
        condition_by_show[show.value] = conditions.all_of([*pieces, *chip])
    skipped = conditions.all_of([*pieces, conditions.WAITING, conditions.SKIPPED])
    return _COUNTS.with_pieces(cap=str(MAX_QUEUE_COUNT), skipped=skipped, **condition_by_show)


def _counted(
    filters: QueueFilter,
    person: User,
    matches: Matches | None = None,
) -> tuple[list[str], list[int]]:
    """Return the pieces of what is counted of any chip, and the keys of a search's matches."""
    if not filters.q:
        return conditions.selected(filters), []

    matches = matches or find_matches(filters, person)
    return [conditions.AMONG_KEYS], matches.counted_keys
