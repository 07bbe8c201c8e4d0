"""The statements of the queue for each chip, order and filter, as the product builds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reviewapp.annotations import queue
from reviewapp.annotations.queue import conditions
from reviewapp.annotations.queue.claim_next import Claim
from reviewapp.annotations.queue.counts import ItemCounts, ProgressCounts
from reviewapp.annotations.queue.filters import Band, QueueFilter, Show
from reviewapp.annotations.queue.ordering import (
    after_start,
    columns,
    order_by,
    up_to_end,
)
from reviewapp.annotations.queue.querysets import Emptiness
from reviewapp.annotations.queue.row import ListRow
from reviewapp.annotations.queue.search import Candidate
from reviewapp.postgres.statement import Statement, sql_file

FOLDER = Path(queue.__file__)
FILTERS = (
    QueueFilter(),
    QueueFilter(retriever=1),
    QueueFilter(label="logo"),
    QueueFilter(status="decided"),
    QueueFilter(status="gone"),
    QueueFilter(reviewer=1),
    QueueFilter(band=Band.LOW),
    QueueFilter(retriever=1, label="logo", status="waiting", reviewer=1, band=Band.HIGH),
)


@dataclass(frozen=True)
class Example:
    """A statement of the file `name`, filled in for a filter."""

    name: str
    filters: QueueFilter
    is_start: bool
    statement: Statement[Any]

    @property
    def title(self) -> str:
        """The name of the file and the filter as it is in an address."""
        start = "start" if self.is_start else "deep"
        return f"{self.name} {start} {self.filters.querystring()}"


def every_filter() -> Iterator[QueueFilter]:
    """Yield each chip in each of its orders, and with each of FILTERS in its own order."""
    for show in Show:
        chosen = QueueFilter(show=show)
        for sort in chosen.available_sorts:
            yield replace(chosen, sort=sort)
        for filters in FILTERS:
            yield filters.showing(show)


def page_statement(filters: QueueFilter, *, is_start: bool) -> Statement[ListRow]:
    """Return the statement for the first page of a list, or for one after a position."""
    pieces = conditions.in_list(filters)
    if not is_start:
        pieces.append(after_start(filters.order))
    is_sorted = conditions.is_of_one_person(filters)
    return sql_file(str(FOLDER), "page.sql", ListRow).with_pieces(
        condition=conditions.all_of(pieces),
        order=order_by(filters.order, is_sorted=is_sorted),
        limit="31",
    )


def claim_statement(filters: QueueFilter, *, is_start: bool) -> Statement[Claim]:
    """Return the statement that claims the first free item, or the first after a position."""
    pieces = conditions.free(filters)
    if not is_start:
        pieces.append(after_start(filters.order))
    is_sorted = conditions.is_of_one_person(filters)
    return sql_file(str(FOLDER), "claim_next.sql", Claim).with_pieces(
        condition=conditions.all_of(pieces),
        order=order_by(filters.order, is_sorted=is_sorted),
    )


def list_examples() -> Iterator[Example]:
    """Yield the pages and the claims of every filter."""
    for filters in every_filter():
        for is_start in (True, False):
            page = page_statement(filters, is_start=is_start)
            yield Example("page.sql", filters, is_start, page)
            claim = claim_statement(filters, is_start=is_start)
            yield Example("claim_next.sql", filters, is_start, claim)


def search_examples() -> Iterator[Example]:
    """Yield the statements of a search in every filter."""
    keys = sql_file(str(FOLDER), "keys.sql", tuple)
    end = sql_file(str(FOLDER), "search_end.sql", tuple)
    matches = sql_file(str(FOLDER), "search_matches.sql", Candidate)
    for filters in every_filter():
        listed = conditions.in_list(filters)
        stretch = [after_start(filters.order), up_to_end(filters.order)]
        for matching in (
            [conditions.AMONG_KEYS],
            [conditions.MATCHING_WORDS, *stretch],
            [conditions.MATCHING_WORDS_WHEN_OPENED, *stretch],
        ):
            is_sorted = conditions.MATCHING_WORDS_WHEN_OPENED not in matching
            statement: Statement[Any] = keys.with_pieces(
                condition=conditions.all_of([*listed, *matching]),
                order=order_by(filters.order, is_sorted=is_sorted),
                limit="31",
            )
            yield Example("keys.sql", filters, False, statement)
        statement = end.with_pieces(
            columns=columns(filters.order),
            condition=conditions.all_of(conditions.in_index(filters)),
            order=order_by(filters.order),
            offset="4999",
        )
        yield Example("search_end.sql", filters, True, statement)
        matching = [*conditions.selected(filters), conditions.MATCHING_WORDS]
        statement = matches.with_pieces(
            is_match="true", condition=conditions.all_of(matching), limit="1001"
        )
        yield Example("search_matches.sql", filters, True, statement)


def count_examples() -> Iterator[Example]:
    """Yield the counts of the chips, the progress and the reasons of an empty list."""
    counts = sql_file(str(FOLDER), "counts.sql", ItemCounts)
    progress = sql_file(str(FOLDER), "progress.sql", ProgressCounts)
    empty = sql_file(str(FOLDER), "empty.sql", Emptiness)
    for filters in FILTERS:
        chips = {}
        for show in Show:
            chosen = filters.showing(show)
            chips[show.value] = conditions.all_of(conditions.in_list(chosen))
            statement: Statement[Any] = progress.with_pieces(cap="1000", left=chips[show.value])
            yield Example("progress.sql", chosen, True, statement)
        waiting = [*conditions.selected(filters), conditions.WAITING]
        skipped = conditions.all_of([*waiting, conditions.SKIPPED])
        statement = counts.with_pieces(cap="1000", skipped=skipped, **chips)
        yield Example("counts.sql", filters, True, statement)

        statement = empty.with_pieces(
            cap="1000",
            held=conditions.all_of([*waiting, conditions.HELD_BY_OTHERS]),
            deferred=conditions.all_of([*waiting, conditions.DEFERRED]),
            skipped=conditions.all_of([*waiting, conditions.SKIPPED]),
        )
        yield Example("empty.sql", filters, True, statement)


def every_statement() -> Iterator[tuple[str, Statement[Any]]]:
    """Yield all of them, each with a title."""
    for examples in (list_examples(), search_examples(), count_examples()):
        for example in examples:
            yield example.title, example.statement


def indexed_statements() -> Iterator[tuple[str, Statement[Any]]]:
    """Yield those that must not read a table from end to end.

    `empty.sql` also looks at any row of the table: PostgreSQL plans to read it whole, and stops.
    """
    for title, statement in every_statement():
        if not title.startswith("empty.sql"):
            yield title, statement
