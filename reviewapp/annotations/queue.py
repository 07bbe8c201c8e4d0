"""The queue: which annotations a filter shows, in which order, and which one a person is given next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Min, QuerySet, Subquery
from django.utils import timezone

from reviewapp import keyset
from reviewapp.annotations import compiled
from reviewapp.annotations.filters import Band, QueueFilter, Show
from reviewapp.annotations.models import Annotation, Lease, SetAside
from reviewapp.asked import Question, Sql, stand_in

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.queries import AnnotationQuerySet

CAP = 1000
# A search opens every document that it counts.
COUNTED = 200

_SHOWN: dict[Show, Callable[[AnnotationQuerySet, User], AnnotationQuerySet]] = {
    Show.WAITING: lambda found, person: found.waiting().not_set_aside_by(person),
    Show.MINE: lambda found, person: found.decided_by(person),
    Show.DEFERRED: lambda found, person: found.waiting().deferred_by(person),
    Show.DRAFTS: lambda found, person: found.drafted_by(person),
    Show.DECIDED: lambda found, _: found.decided(),
    Show.CONFLICT: lambda found, _: found.in_trouble(),
    Show.UNDELIVERED: lambda found, _: found.undelivered(),
    Show.ALL: lambda found, _: found,
}
_UNDECIDED = frozenset({Show.WAITING, Show.DEFERRED})
_BANDS: dict[str, dict[str, float]] = {
    Band.NONE: {"sureness": -1.0},
    Band.LOW: {"sureness__gte": 0, "sureness__lt": 0.5},
    Band.MIDDLE: {"sureness__gte": 0.5, "sureness__lt": 0.8},
    Band.HIGH: {"sureness__gte": 0.8},
}


def in_queue(chosen: QueueFilter, person: User) -> AnnotationQuerySet:
    """Return what `chosen` shows to `person`, unordered; held items included."""
    return _shown(_narrowed(Annotation.objects.all(), chosen), chosen, person)


def _shown(narrowed: AnnotationQuerySet, chosen: QueueFilter, person: User) -> AnnotationQuerySet:
    found = _SHOWN[chosen.show](narrowed, person)
    # What waits has no reviewer: the database would look for one through all of it.
    return found.none() if chosen.reviewer and chosen.show in _UNDECIDED else found


def _narrowed(found: AnnotationQuerySet, chosen: QueueFilter) -> AnnotationQuerySet:
    exact = {
        "retriever_id": chosen.retriever,
        "label": chosen.label,
        "status": chosen.status,
        "reviewer_id": chosen.reviewer,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if chosen.band:
        found = found.filter(**_BANDS[chosen.band])
    return found.searching(chosen.q) if chosen.q else found


def listed(chosen: QueueFilter, person: User, *, cursor: str = "") -> keyset.Page[Any]:
    """Return one page of the rows (`for_list`) that `chosen` shows to `person`; raises `BadCursor`. One query."""
    if chosen.q:
        return keyset.page(in_queue(chosen, person).for_list(), order=chosen.order, cursor=cursor)

    def fetch(going: tuple[str, ...], values: list[Any], most: int) -> list[Any]:
        starts = {f"start{at}": value for at, value in enumerate(values)}
        if not all(_fits(value, KINDS[name.lstrip("-")]) for name, value in zip(going, values, strict=False)):
            raise keyset.BadCursor(cursor)
        return _listing(compiled.kind(chosen), going, bool(values), most).ask(
            **compiled.meant(chosen, person), **starts
        )

    return keyset.paged(fetch, order=chosen.order, cursor=cursor)


def _fits(value: object, kind: type) -> bool:
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


# What the ordering columns hold.
KINDS: dict[str, type] = {
    "id": int,
    "sureness": float,
    "relevance": float,
    "settled_at": datetime,
    "decided_at": datetime,
}


@lru_cache(maxsize=1000)
def _listing(kind: QueueFilter, going: tuple[str, ...], beyond: bool, most: int) -> Question[Any]:
    rows, names = in_queue(kind, get_user_model()(pk=compiled.PERSON)), dict(compiled.NAMES)
    if beyond:
        kinds = [KINDS[name.lstrip("-")] for name in going]
        values = [stand_in(one, compiled.FREE + at) for at, one in enumerate(kinds)]
        names |= {value: f"start{at}" for at, value in enumerate(values)}
        rows = rows.filter(keyset.past(going, values))
    return Question(rows.for_list().order_by(*going)[:most], names)


def candidates(
    chosen: QueueFilter, person: User, after: Annotation | None = None, *, now: datetime | None = None
) -> AnnotationQuerySet:
    """Return what `person` may be given, in the filter's order, behind `after` when given; without wrapping.

    That is what the filter shows and nobody else holds. Waiting gives only what waits and this person has not set
    aside, and so does All, unless a status or reviewer is asked for; the other chips are lists to walk through.
    Pass `after` as it was loaded before the decision: deciding moves it in most orders.
    """
    found = in_queue(chosen, person).not_held_by_others(person, now or timezone.now())
    if chosen.show == Show.ALL and not (chosen.status or chosen.reviewer):
        found = found.waiting().not_set_aside_by(person)
    if after is None:
        return found.order_by(*chosen.order)
    return keyset.beyond(found.exclude(pk=after.pk), order=chosen.order, row=after)


def previous_before(chosen: QueueFilter, person: User, annotation: Annotation) -> Annotation | None:
    """Return the item before `annotation` in the list as it is shown, None at its start."""
    return keyset.beyond(in_queue(chosen, person), order=chosen.order, row=annotation, backwards=True).first()


class _CappedCount(Subquery):
    """How many rows a sliced query has; it stops reading at the slice."""

    template = "(SELECT count(*) FROM (%(subquery)s) capped)"
    output_field = IntegerField()
    empty_result_set_value = 0


def counts(chosen: QueueFilter, person: User) -> dict[Show, int]:
    """Return how many items each chip would show under the same filters, never more than `CAP`, in one query.

    A search asks first for what it finds, and counts among the first `COUNTED` of that: when All reaches it, the others
    may be more than is said.
    """
    if chosen.q:
        (found,) = _counting(chosen, person).run_once()
    else:
        (found,) = _counting_any(compiled.kind(chosen)).run(compiled.meant(chosen, person))
    return dict(zip(Show, found, strict=True))


def done_and_left(chosen: QueueFilter, person: User, *, since: datetime) -> tuple[int, int]:
    """Return how many `person` has decided since then, and how many `chosen` shows, neither more than `CAP`."""
    if chosen.q:
        ((done, left),) = _progressing(chosen, person, since).run_once()
    else:
        meant = compiled.meant(chosen, person) | {"since": since}
        ((done, left),) = _progressing_any(compiled.kind(chosen)).run(meant)
    return done, left


@lru_cache(maxsize=1000)
def _counting_any(kind: QueueFilter) -> Sql:
    return _counting(kind, get_user_model()(pk=compiled.PERSON))


@lru_cache(maxsize=1000)
def _progressing_any(kind: QueueFilter) -> Sql:
    return _progressing(kind, get_user_model()(pk=compiled.PERSON), compiled.SINCE)


def _counting(chosen: QueueFilter, person: User) -> Sql:
    found = _found(chosen)
    return _counts([_shown(found, chosen.showing(show), person) for show in Show], person)


def _progressing(chosen: QueueFilter, person: User, since: datetime) -> Sql:
    mine = Annotation.objects.filter(reviewer=person, decided_at__gte=since)
    return _counts([mine, _shown(_found(chosen), chosen, person)], person)


def _found(chosen: QueueFilter) -> AnnotationQuerySet:
    """Return what is counted: all, or what a search met first, for it has to open every document it counts."""
    rows = _narrowed(Annotation.objects.all(), replace(chosen, q=""))
    return Annotation.objects.filter(pk__in=rows.first_found(chosen.q, COUNTED)[0]) if chosen.q else rows


def _counts(counted: list[AnnotationQuerySet], person: User) -> Sql:
    # The person's own row carries the counts: SELECT without FROM is not to be had from the ORM.
    own = get_user_model().objects.filter(pk=person.pk)
    row = own.values_list(*(_CappedCount(rows.order_by().values("pk")[:CAP]) for rows in counted))
    text, parameters = row.query.sql_with_params()
    return Sql(text=str(text), parameters=tuple(parameters), names=compiled.NAMES)


@dataclass(frozen=True, kw_only=True)
class Emptiness:
    """Why there is nothing to do: what others hold and when the first of it comes free, what one set aside oneself."""

    held: int = 0
    free_at: datetime | None = None
    deferred: int = 0
    skipped: int = 0
    narrowed: bool = False
    nothing_pulled: bool = False


def why_empty(chosen: QueueFilter, person: User) -> Emptiness:
    """Say why `person` finds nothing under `chosen`; ask only when that is so. Counts stop at `CAP`."""
    matching = _narrowed(Annotation.objects.waiting(), chosen)
    held = matching.not_set_aside_by(person).held_by_others(person, timezone.now())
    return Emptiness(
        held=_up_to_cap(held),
        free_at=Lease.objects.filter(annotation__in=held).aggregate(at=Min("until"))["at"],
        deferred=_up_to_cap(matching.deferred_by(person)),
        skipped=_up_to_cap(SetAside.objects.filter(person=person, kind="skipped", annotation__in=matching)),
        narrowed=chosen.narrowed,
        nothing_pulled=not Annotation.objects.exists(),
    )


def _up_to_cap(found: QuerySet[Annotation] | QuerySet[SetAside]) -> int:
    return found.order_by()[:CAP].count()
