"""Count the items of each chip of the queue, and a person's progress."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Subquery

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue import compiled_queries
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.querysets import MAX_QUEUE_COUNT, apply_filters, apply_show
from reviewapp.annotations.queue.search import find_matches
from reviewapp.asked import Sql
from reviewapp.bounded_cache import MIB, bounded_cache

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet
    from reviewapp.annotations.queue.search import Matches

_SHOWS_EXCEPT_ALL = tuple(show for show in Show if show != Show.ALL)


class _CappedCount(Subquery):
    """The number of rows of a sliced query; PostgreSQL stops reading at the end of the slice."""

    template = "(SELECT count(*) FROM (%(subquery)s) capped)"
    output_field = IntegerField()
    empty_result_set_value = 0


def count_by_show(
    filters: QueueFilter,
    person: User,
    *,
    found: Matches | None = None,
) -> dict[Show, int]:
    """Return the number of items of each chip under these filters, at most `MAX_QUEUE_COUNT`.

    A search counts only its first `SEARCH_COUNT_LIMIT` matches: if `Matches.at_least` is true,
    there may be more of each. Pass `found` if the matches were already looked up.
    """
    params = _parameters(filters, person, found)
    key_filters = compiled_queries.with_placeholders(filters)
    is_search = bool(filters.q)

    (row,) = _counts_statement(key_filters, is_search).run(params)
    number_by_show = dict(zip(_SHOWS_EXCEPT_ALL, row, strict=True))

    # No item is both waiting and decided: if the two reach the cap together, so do all items, and
    # they need not be counted.
    waiting_and_decided = number_by_show[Show.WAITING] + number_by_show[Show.DECIDED]
    number_by_show[Show.ALL] = min(waiting_and_decided, MAX_QUEUE_COUNT)
    if number_by_show[Show.ALL] < MAX_QUEUE_COUNT:
        ((number_of_all,),) = _count_all_statement(key_filters, is_search).run(params)
        number_by_show[Show.ALL] = number_of_all
    return number_by_show


def done_and_left(filters: QueueFilter, person: User, *, since: datetime) -> tuple[int, int]:
    """Return how many items `person` decided since then and how many `filters` show, capped."""
    params = _parameters(filters, person)
    params["since"] = since

    key_filters = compiled_queries.with_placeholders(filters)
    ((done, left),) = _progress_statement(key_filters, bool(filters.q)).run(params)
    return done, left


def _parameters(
    filters: QueueFilter,
    person: User,
    matches: Matches | None = None,
) -> dict[str, Any]:
    params = compiled_queries.parameters(filters, person)
    params["keys"] = ""
    if filters.q:
        matches = matches or find_matches(filters, person)
        params["keys"] = matches.counted_keys
    return params


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _counts_statement(filters: QueueFilter, is_search: bool) -> Sql:
    person = _placeholder_person()
    base = _counted_rows(filters, is_search)
    querysets = [apply_show(base, filters.showing(show), person) for show in _SHOWS_EXCEPT_ALL]
    return _build_statement(querysets, person)


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _count_all_statement(filters: QueueFilter, is_search: bool) -> Sql:
    person = _placeholder_person()
    base = _counted_rows(filters, is_search)
    return _build_statement([apply_show(base, filters.showing(Show.ALL), person)], person)


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _progress_statement(filters: QueueFilter, is_search: bool) -> Sql:
    person = _placeholder_person()
    mine = Annotation.objects.filter(reviewer=person, decided_at__gte=compiled_queries.SINCE)
    left = apply_show(_counted_rows(filters, is_search), filters, person)
    return _build_statement([mine, left], person)


def _placeholder_person() -> User:
    return get_user_model()(pk=compiled_queries.PERSON)


def _counted_rows(filters: QueueFilter, is_search: bool) -> AnnotationQuerySet:
    """Return what to count: all rows that match the filters, or the first matches of a search."""
    if is_search:
        return Annotation.objects.keyed(compiled_queries.KEYS)
    return apply_filters(Annotation.objects.all(), filters)


def _build_statement(querysets: list[AnnotationQuerySet], person: User) -> Sql:
    # Select the counts as columns of the person's own row: the ORM has no SELECT without FROM.
    person_row = get_user_model().objects.filter(pk=person.pk)
    columns = [_CappedCount(rows.order_by().values("pk")[:MAX_QUEUE_COUNT]) for rows in querysets]
    text, parameters = person_row.values_list(*columns).query.sql_with_params()
    return Sql(
        text=str(text),
        parameters=tuple(parameters),
        names=compiled_queries.PARAMETER_NAMES,
    )
