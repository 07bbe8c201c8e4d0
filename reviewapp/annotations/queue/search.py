"""Search the queue: find out how frequent the words are, then read the first matches in list order.

Only the words tell how rare they are, and a plan that is right for a rare word is wrong for a
frequent one. The planner knows the frequent words; for the others, the word index is asked for its
first thousand rows.

To sort all matches would open every one of them, and to walk along the list until enough rows match
would open every row that does not match. So the list is searched in stretches: the end of a stretch
is read from the list's index alone, and its matches are where that index and the word index meet.
Only rows in both are opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
# The most rows to fetch and sort at once. If there are more, the first are soon met in list order.
_MAX_SORTED = 1_000
# For frequent words: how many rows of all are opened to count, and of the list to find matches.
_SAMPLE_SIZE = 400
_OPENED_ROWS = 1_000
# The lengths of the stretches searched after that, in rows of the list's index; then all the rest.
_STRETCH_SPANS = (5_000, 20_000, 80_000, 320_000)
# Opening a row costs as much as reading this many index entries.
_COST_OF_OPENING = 100
_PAGE_SIZE = 31

_EXPLAIN = """
EXPLAIN (FORMAT JSON) SELECT FROM annotations_annotation
WHERE search @@ %s::tsquery
UNION ALL SELECT FROM annotations_annotation
"""


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
    """

    keys: list[int]
    has_more: bool
    is_frequent: bool
    opened_rows: int = _OPENED_ROWS
    spans: tuple[int, ...] = _STRETCH_SPANS

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

    if _is_frequent(filters.q):
        sample = _MATCHES.with_pieces(
            is_match=conditions.MATCHING_WORDS,
            condition=conditions.all_of(pieces),
            limit=str(_SAMPLE_SIZE),
        ).rows(**params)
        keys = [candidate.id for candidate in sample if candidate.is_match]
        return Matches(keys=keys, has_more=len(sample) == _SAMPLE_SIZE, is_frequent=True)

    matching = _MATCHES.with_pieces(
        is_match="true",
        condition=conditions.all_of([*pieces, conditions.MATCHING_WORDS]),
        limit=str(_MAX_SORTED + 1),
    ).rows(**params)
    keys = [candidate.id for candidate in matching[:_MAX_SORTED]]
    return Matches(keys=keys, has_more=len(matching) > _MAX_SORTED, is_frequent=False)


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


def _is_frequent(words: str) -> bool:
    """Return whether walking along the list finds a page of matches sooner than sorting all.

    This is the planner's estimate, and wrong without statistics; the result of a search is the same
    either way.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXPLAIN, [search_query(words)])
        ((output,),) = cursor.fetchall()

    plan = json.loads(output) if isinstance(output, str) else output
    matching, total = (part["Plan Rows"] for part in plan[0]["Plan"]["Plans"])
    return bool(matching * matching > _PAGE_SIZE * total * _COST_OF_OPENING)
