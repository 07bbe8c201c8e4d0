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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import QuerySet, Value

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.querysets import matches as matches_words
from reviewapp.annotations.queue import compiled_queries
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.querysets import apply_filters, in_queue_by_index
from reviewapp.asked import QUESTION_BYTES, Question
from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.web import pagination

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet

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
WHERE search @@ websearch_to_tsquery('simple', %s)
UNION ALL SELECT FROM annotations_annotation
"""

BuildRows = Callable[[QueueFilter, "User"], "AnnotationQuerySet"]
# Select columns of the annotations; the rows must have a column `id`.
SelectColumns = Callable[["AnnotationQuerySet"], QuerySet[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """The first `limit` rows of a list; `filters` are those of `with_placeholders`."""

    build: BuildRows
    filters: QueueFilter
    ordering: tuple[str, ...]
    select: SelectColumns
    limit: int


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
    def counted_keys(self) -> str:
        """The keys of the matches to count, in the form that `keyed` takes."""
        return ",".join(map(str, self.keys[:SEARCH_COUNT_LIMIT]))

    @property
    def all_keys(self) -> str:
        """All keys, in the form that `keyed` takes."""
        return ",".join(map(str, self.keys))

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
    is_frequent = _is_frequent(filters.q)
    key_filters = replace(compiled_queries.with_placeholders(filters), show=Show.ALL, sort="")
    params = compiled_queries.parameters(filters, person)
    rows = _first_matches_query(key_filters, is_frequent).ask(**params)

    if is_frequent:
        keys = [key for key, is_match in rows if is_match]
        return Matches(keys=keys, has_more=len(rows) == _SAMPLE_SIZE, is_frequent=True)

    keys = [key for key, _ in rows[:_MAX_SORTED]]
    return Matches(keys=keys, has_more=len(rows) > _MAX_SORTED, is_frequent=False)


def search_page(
    query: ListQuery,
    matches: Matches,
    params: Mapping[str, Any],
    *,
    after: Sequence[Any] = (),
) -> list[Any]:
    """Return the first matching rows of the list, or the first after a position in its order.

    `params` are the values of the placeholders. One query, or two for each searched stretch.
    """
    start = after
    if not matches.has_more:
        known_query = _known_matches_query(query, bool(start))
        start_params = _position_params("start", start)
        return known_query.ask(**params, **start_params, keys=matches.all_keys)

    rows: list[Any] = []
    for stretch in matches.stretches():
        start_params = _position_params("start", start)

        end: Sequence[Any] = ()
        if stretch.span:
            end_query = _stretch_end_query(query, bool(start), stretch.span)
            end_rows = end_query.ask(**params, **start_params)
            if end_rows:
                end = end_rows[0]

        end_params = _position_params("end", end)
        stretch_query = _stretch_query(query, bool(start), bool(end), stretch)
        rows += stretch_query.ask(**params, **start_params, **end_params)

        if len(rows) >= query.limit or not end:
            break
        start = end
    return rows[: query.limit]


def _is_frequent(words: str) -> bool:
    """Return whether walking along the list finds a page of matches sooner than sorting all.

    This is the planner's estimate, and wrong without statistics; the result of a search is the same
    either way.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXPLAIN, [words])
        ((output,),) = cursor.fetchall()

    plan = json.loads(output) if isinstance(output, str) else output
    matching, total = (part["Plan Rows"] for part in plan[0]["Plan"]["Plans"])
    return bool(matching * matching > _PAGE_SIZE * total * _COST_OF_OPENING)


@bounded_cache(most_bytes=8 * MIB, size=lambda _: QUESTION_BYTES)
def _first_matches_query(filters: QueueFilter, is_frequent: bool) -> Question[Any]:
    rows = apply_filters(Annotation.objects.all(), filters)
    if is_frequent:
        sample = rows.values_list("pk", matches_words(compiled_queries.WORDS))[:_SAMPLE_SIZE]
        return Question(sample, compiled_queries.PARAMETER_NAMES)

    matching = rows.searching(compiled_queries.WORDS).values_list("pk", Value(True))
    return Question(matching[: _MAX_SORTED + 1], compiled_queries.PARAMETER_NAMES)


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _known_matches_query(query: ListQuery, has_start: bool) -> Question[Any]:
    rows, names = _rows_after_start(query, has_start, query.build)
    rows = rows.keyed(compiled_queries.KEYS).order_by(
        pagination.ordering_expression(query.ordering)
    )
    return Question(query.select(rows)[: query.limit], names)


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _stretch_end_query(query: ListQuery, has_start: bool, span: int) -> Question[Any]:
    """Return the query for the last row of a stretch, read from an index alone, whoever asks.

    It has no result if the list ends before.
    """
    rows, names = _rows_after_start(query, has_start, in_queue_by_index)
    columns = [name.lstrip("-") for name in query.ordering]
    ordered = rows.order_by(*query.ordering).values_list(*columns)
    return Question(ordered[span - 1 : span], names)


@bounded_cache(most_bytes=4 * MIB, size=lambda _: QUESTION_BYTES)
def _stretch_query(
    query: ListQuery,
    has_start: bool,
    has_end: bool,
    stretch: Stretch,
) -> Question[Any]:
    """Return the query for the matching rows of a stretch."""
    rows, names = _rows_after_start(query, has_start, query.build)
    if has_end:
        offset = len(query.ordering)
        end = compiled_queries.position_placeholders(query.ordering, offset=offset)
        rows = rows.filter(pagination.up_to_q(query.ordering, end))
        names |= _position_names("end", end)

    rows = rows.searching(compiled_queries.WORDS, opening=stretch.opening)
    order_by: Sequence[Any] = query.ordering
    if not stretch.opening:
        # Sort by an expression: along the list's index, PostgreSQL would open each row on the way.
        order_by = [pagination.ordering_expression(query.ordering)]
    ordered = rows.order_by(*order_by)
    return Question(query.select(ordered)[: query.limit], names)


def _rows_after_start(
    query: ListQuery,
    has_start: bool,
    build: BuildRows,
) -> tuple[AnnotationQuerySet, dict[Any, str]]:
    """Return the rows of the list after the start position, and the names of the placeholders."""
    rows = build(query.filters, get_user_model()(pk=compiled_queries.PERSON))
    names = dict(compiled_queries.PARAMETER_NAMES)

    if has_start:
        start = compiled_queries.position_placeholders(query.ordering)
        rows = rows.filter(pagination.after_q(query.ordering, start))
        names |= _position_names("start", start)
    return rows, names


def _position_params(side: str, position: Sequence[Any]) -> dict[str, Any]:
    return {f"{side}{number}": value for number, value in enumerate(position)}


def _position_names(side: str, placeholders: Sequence[Any]) -> dict[Any, str]:
    return {placeholder: f"{side}{number}" for number, placeholder in enumerate(placeholders)}
