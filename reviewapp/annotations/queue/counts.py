"""The numbers on the queue's chips, and how far a person is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Subquery

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue import compiled_queries
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.querysets import CAP, narrowed, shown
from reviewapp.annotations.queue.search import look_for
from reviewapp.asked import Sql
from reviewapp.bounded_cache import MIB, bounded_cache

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet
    from reviewapp.annotations.queue.search import Found

_COUNTED_ALONE = tuple(show for show in Show if show != Show.ALL)


class _CappedCount(Subquery):
    """How many rows a sliced query has; it stops reading at the slice."""

    template = "(SELECT count(*) FROM (%(subquery)s) capped)"
    output_field = IntegerField()
    empty_result_set_value = 0


def counts(chosen: QueueFilter, person: User, *, found: Found | None = None) -> dict[Show, int]:
    """Return how many items each chip would show under the same filters, never more than `CAP`.

    A search counts among the first `COUNTED` of what it finds (`found`, if that has been looked for already): when
    there is more of it (`Found.at_least`), there may be more of each than is said.
    """
    meant = _meant(chosen, person, found)
    kind, is_search = compiled_queries.kind(chosen), bool(chosen.q)

    (counted,) = _counting(kind, is_search).run(meant)
    number = dict(zip(_COUNTED_ALONE, counted, strict=True))

    # No item waits and is decided: where those two reach the cap together, all do, and need not be counted.
    number[Show.ALL] = min(number[Show.WAITING] + number[Show.DECIDED], CAP)
    if number[Show.ALL] < CAP:
        ((number[Show.ALL],),) = _counting_all(kind, is_search).run(meant)
    return number


def done_and_left(chosen: QueueFilter, person: User, *, since: datetime) -> tuple[int, int]:
    """Return how many `person` has decided since then, and how many `chosen` shows, neither more than `CAP`."""
    meant = _meant(chosen, person) | {"since": since}
    ((done, left),) = _progressing(compiled_queries.kind(chosen), bool(chosen.q)).run(meant)
    return done, left


def _meant(chosen: QueueFilter, person: User, found: Found | None = None) -> dict[str, Any]:
    found = found or look_for(chosen, person) if chosen.q else None
    return compiled_queries.meant(chosen, person) | {"keys": found.counted if found else ""}


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _counting(kind: QueueFilter, searching: bool) -> Sql:
    person, among = _person(), _among(kind, searching)
    return _counts([shown(among, kind.showing(show), person) for show in _COUNTED_ALONE], person)


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _counting_all(kind: QueueFilter, searching: bool) -> Sql:
    person = _person()
    return _counts([shown(_among(kind, searching), kind.showing(Show.ALL), person)], person)


@bounded_cache(most_bytes=4 * MIB, size=lambda sql: sql.bytes)
def _progressing(kind: QueueFilter, searching: bool) -> Sql:
    person = _person()
    mine = Annotation.objects.filter(reviewer=person, decided_at__gte=compiled_queries.SINCE)
    return _counts([mine, shown(_among(kind, searching), kind, person)], person)


def _person() -> User:
    return get_user_model()(pk=compiled_queries.PERSON)


def _among(kind: QueueFilter, searching: bool) -> AnnotationQuerySet:
    """Return what is counted: all that the filters leave, or of that what a search met first."""
    return Annotation.objects.keyed(compiled_queries.KEYS) if searching else narrowed(Annotation.objects.all(), kind)


def _counts(counted: list[AnnotationQuerySet], person: User) -> Sql:
    # The person's own row carries the counts: SELECT without FROM is not to be had from the ORM.
    own = get_user_model().objects.filter(pk=person.pk)
    row = own.values_list(*(_CappedCount(rows.order_by().values("pk")[:CAP]) for rows in counted))
    text, parameters = row.query.sql_with_params()
    return Sql(text=str(text), parameters=tuple(parameters), names=compiled_queries.NAMES)
