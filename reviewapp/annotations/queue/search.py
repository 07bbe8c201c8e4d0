"""Search the queue: find out how frequent the words are, then read the first matches in list order.

Only the words tell how rare they are, and a plan that is right for a rare word is wrong for a
frequent one. The planner knows the frequent words; for the others, the word index is asked for its
first few hundred rows.

To sort all matches would open every one of them, and to walk along the list until enough rows match
would open every row that does not match. So the list is searched in stretches: the end of a stretch
is read from the list's index alone, and its matches are where that index and the word index meet.
Only rows in both are opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, isqrt
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection

from reviewapp.annotations.queue import conditions
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.list_query import ListQuery
from reviewapp.annotations.queue.ordering import (
    after_start,
    columns,
    order_by,
    position_parameters,
)
from reviewapp.annotations.queue.search_query import search_query
from reviewapp.postgres.statement import sql_file

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Row = TypeVar("Row")

# A search opens every row that it counts.
SEARCH_COUNT_LIMIT = 100
_PAGE_SIZE = 31
# The most rows to fetch and sort at once. If there are more, the first are soon met in list order.
_MAX_SORTED = 1_000
# For frequent words: how many rows of all are opened to count, and of the list to find matches.
_MAX_SAMPLE_SIZE = 400
_OPENED_ROWS = 1_000
# The first stretch that is searched after that is to have so many matches. Each further one is
# longer by this factor, and the last one is all the rest.
_STRETCH_MATCHES = 2 * _PAGE_SIZE
_STRETCH_FACTOR = 4
# Opening a row and its words costs as much as reading so many entries of the index of words.
_COST_OF_OPENING = 25
# The planner estimates at most half a percent for a word that is not in its statistics.
_MIN_KNOWN_SHARE = 0.0075

_EXPLAIN = """
EXPLAIN (FORMAT JSON) SELECT FROM annotations_annotation
WHERE search @@ %s::tsquery
UNION ALL SELECT FROM annotations_annotation
"""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How many of all annotations match, by the planner's statistics; wrong if there are none."""

    matching: int
    total: int

    @property
    def rows_per_match(self) -> float:
        """How many rows are read, on average, to find a match; 1 or more."""
        return self.total / self.matching

    @property
    def is_frequent(self) -> bool:
        """Whether to open rows until enough match, rather than to read all in the index of words.

        The result of a search is the same either way.
        """
        opened = (SEARCH_COUNT_LIMIT + _PAGE_SIZE) * self.rows_per_match
        # Once to count, once for the page.
        read_entries = 2 * self.matching
        return read_entries > _COST_OF_OPENING * opened

    @property
    def sample_size(self) -> int:
        """How many rows to open, of frequent words, to find as many matches as are counted."""
        expected = ceil(1.3 * SEARCH_COUNT_LIMIT * self.rows_per_match)
        return min(expected, _MAX_SAMPLE_SIZE)

    @property
    def max_sorted(self) -> int:
        """How many matches to fetch and sort at once, at most.

        To fetch them costs in proportion to their number, and to meet enough of them along the list
        costs inversely: both are about the same at the square root of the total.
        """
        if self.matching >= _MIN_KNOWN_SHARE * self.total:
            return SEARCH_COUNT_LIMIT
        return max(SEARCH_COUNT_LIMIT, min(isqrt(self.total), _MAX_SORTED))

    def spans(self, *, least_found: int, least_span: int = 0) -> tuple[int, ...]:
        """Return the lengths of the stretches to search, if at least so many matches are found."""
        matching = max(self.matching, least_found)
        span = max(ceil(_STRETCH_MATCHES * self.total / matching), least_span)
        spans = []
        while span < self.total:
            spans.append(span)
            span *= _STRETCH_FACTOR
        return tuple(spans)


@dataclass(frozen=True)
class Candidate:
    """An annotation that the filters of a search leave."""

    id: int
    is_match: bool


_MATCHES = sql_file(__file__, "search_matches.sql", Candidate)
# The values of the columns of the order.
_END = sql_file(__file__, "search_end.sql", lambda *values: values)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of a list: `span` rows, or the rest if None; `opening` opens each row on the way."""

    span: int | None
    opening: bool


@dataclass(frozen=True, kw_only=True)
class Matches:
    """The first matches of a search under the filters except the chip, and whether there are more.

    Words are frequent if the list is full of them: then its first `opened_rows` are opened.
    `spans` are the lengths of the stretches searched after that, in rows of the list's index.
    """

    keys: list[int]
    has_more: bool
    is_frequent: bool
    opened_rows: int = _OPENED_ROWS
    spans: tuple[int, ...] = ()

    @property
    def counted_keys(self) -> list[int]:
        """The keys of the matches to count."""
        return self.keys[:SEARCH_COUNT_LIMIT]

    @property
    def at_least(self) -> bool:
        """Whether there are more matches than are counted."""
        return self.has_more or len(self.keys) > SEARCH_COUNT_LIMIT

    def stretches(self) -> Iterator[Stretch]:
        """Yield the stretches of a list to search in turn, until there are enough rows."""
        if self.is_frequent:
            yield Stretch(span=self.opened_rows, opening=True)
        for span in self.spans:
            yield Stretch(span=span, opening=False)
        yield Stretch(span=None, opening=False)


def find_matches(filters: QueueFilter, person: User) -> Matches:
    """Search for the words of `filters` in what the filters leave, for every chip. Two queries."""
    pieces = conditions.selected(filters)
    params = conditions.parameters(filters, person)

    estimate = _estimate(filters.q)
    if estimate.is_frequent:
        sample_size = estimate.sample_size
        sample = _MATCHES.with_pieces(
            is_match=conditions.MATCHING_WORDS,
            condition=conditions.all_of(pieces),
            limit=str(sample_size),
        ).rows(**params)
        keys = [candidate.id for candidate in sample if candidate.is_match]
        return Matches(
            keys=keys,
            has_more=len(sample) == sample_size,
            is_frequent=True,
            spans=estimate.spans(least_found=len(keys), least_span=_OPENED_ROWS),
        )

    max_sorted = estimate.max_sorted
    matching = _MATCHES.with_pieces(
        is_match="true",
        condition=conditions.all_of([*pieces, conditions.MATCHING_WORDS]),
        limit=str(max_sorted + 1),
    ).rows(**params)
    keys = [candidate.id for candidate in matching[:max_sorted]]
    return Matches(
        keys=keys,
        has_more=len(matching) > max_sorted,
        is_frequent=False,
        spans=estimate.spans(least_found=len(keys)),
    )


def search_page(
    query: ListQuery[Row],
    matches: Matches,
    *,
    after: Sequence[Any] = (),
) -> list[Row]:
    """Return the first matching rows of the list, or the first after a position in its order.

    One query, or two for each searched stretch.
    """
    if not matches.has_more:
        if not matches.keys:
            return []
        return query.rows(
            after=after,
            also=[conditions.AMONG_KEYS],
            keys=matches.keys,
            is_sorted=True,
        )

    rows: list[Row] = []
    start = after
    for stretch in matches.stretches():
        end: Sequence[Any] = ()
        if stretch.span:
            end = _find_end(query, stretch.span, after=start)

        matching = conditions.MATCHING_WORDS
        if stretch.opening:
            matching = conditions.MATCHING_WORDS_WHEN_OPENED
        # Sorted, unless rows are opened anyway: along the list's index, PostgreSQL would open each
        # row on the way.
        rows += query.rows(
            after=start,
            up_to=end,
            also=[matching],
            is_sorted=not stretch.opening,
        )

        if len(rows) >= query.limit or not end:
            break
        start = end
    return rows[: query.limit]


def _find_end(query: ListQuery[Any], span: int, *, after: Sequence[Any]) -> Sequence[Any]:
    """Return the position of the last row of a stretch, whoever asks; none if the list ends before.

    It is read from an index alone.
    """
    pieces = conditions.in_index(query.filters)
    parameters = dict(query.parameters)
    if after:
        pieces.append(after_start(query.ordering))
        parameters |= position_parameters("start", query.ordering, after)

    statement = _END.with_pieces(
        columns=columns(query.ordering),
        condition=conditions.all_of(pieces),
        order=order_by(query.ordering),
        offset=str(span - 1),
    )
    return statement.first(**parameters) or ()


def _estimate(words: str) -> Estimate:
    """Ask the planner how many annotations match."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPLAIN, [search_query(words)])
        ((output,),) = cursor.fetchall()

    plan = json.loads(output) if isinstance(output, str) else output
    matching, total = (part["Plan Rows"] for part in plan[0]["Plan"]["Plans"])
    return Estimate(matching=max(matching, 1), total=max(total, matching, 1))
