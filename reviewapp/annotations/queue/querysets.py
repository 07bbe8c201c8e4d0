"""The annotations that a filter shows, in order, and those that a person may be given next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Min, QuerySet
from django.utils import timezone

from reviewapp.annotations.models import Annotation, Lease, SetAside
from reviewapp.annotations.queue.filters import Band, QueueFilter, Show
from reviewapp.web import pagination

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import AnnotationQuerySet

MAX_QUEUE_COUNT = 1000

_SHOW_QUERIES: dict[Show, Callable[[AnnotationQuerySet, User], AnnotationQuerySet]] = {
    Show.WAITING: lambda rows, person: rows.waiting().not_set_aside_by(person),
    Show.MINE: lambda rows, person: rows.decided_by(person),
    Show.DEFERRED: lambda rows, person: rows.waiting().deferred_by(person),
    Show.DRAFTS: lambda rows, person: rows.drafted_by(person),
    Show.DECIDED: lambda rows, _: rows.decided(),
    Show.CONFLICT: lambda rows, _: rows.needing_attention(),
    Show.UNDELIVERED: lambda rows, _: rows.undelivered(),
    Show.ALL: lambda rows, _: rows,
}
_UNDECIDED_SHOWS = frozenset({Show.WAITING, Show.DEFERRED})
_BAND_LOOKUPS: dict[str, dict[str, float]] = {
    Band.NONE: {"sureness": -1.0},
    Band.LOW: {"sureness__gte": 0, "sureness__lt": 0.5},
    Band.MIDDLE: {"sureness__gte": 0.5, "sureness__lt": 0.8},
    Band.HIGH: {"sureness__gte": 0.8},
}


def in_queue(filters: QueueFilter, person: User) -> AnnotationQuerySet:
    """Return what `filters` show to `person`, unordered, including items that others hold."""
    return apply_show(apply_filters(Annotation.objects.all(), filters), filters, person)


def apply_show(
    rows: AnnotationQuerySet,
    filters: QueueFilter,
    person: User,
) -> AnnotationQuerySet:
    """Restrict the rows to the chip of `filters`."""
    rows = _SHOW_QUERIES[filters.show](rows, person)
    if filters.reviewer and filters.show in _UNDECIDED_SHOWS:
        # No undecided item has a reviewer, and PostgreSQL would search all of them for one. No key
        # is negative, so this condition is always false.
        rows = rows.filter(pk__lt=0)
    return rows


def in_queue_by_index(filters: QueueFilter, person: User) -> AnnotationQuerySet:
    """Return `in_queue`, with items that `person` set aside if an index alone then answers it."""
    if filters.show == Show.WAITING:
        return apply_filters(Annotation.objects.waiting(), filters)
    return in_queue(filters, person)


def apply_filters(rows: AnnotationQuerySet, filters: QueueFilter) -> AnnotationQuerySet:
    """Restrict the rows to everything in `filters` except the chip."""
    values = {
        "retriever_id": filters.retriever,
        "label": filters.label,
        "status": filters.status,
        "reviewer_id": filters.reviewer,
    }
    rows = rows.filter(**{name: value for name, value in values.items() if value})

    if filters.band:
        rows = rows.filter(**_BAND_LOOKUPS[filters.band])
    if filters.q:
        rows = rows.searching(filters.q)
    return rows


def candidates(
    filters: QueueFilter,
    person: User,
    after: Annotation | None = None,
    *,
    now: datetime | None = None,
) -> AnnotationQuerySet:
    """Return the items that `person` may be given, in the filter's order, those after `after`.

    These are the items that the filter shows and nobody else holds. Waiting includes only what is
    waiting and not set aside by this person, and so does All without a status or reviewer; the
    other chips are lists to walk through. Pass `after` as it was loaded before its decision,
    because the decision moves it in most orders.
    """
    rows = in_queue(filters, person).not_held_by_others(person, now or timezone.now())
    if filters.show == Show.ALL and not (filters.status or filters.reviewer):
        rows = rows.waiting().not_set_aside_by(person)

    if after is None:
        return rows.order_by(*filters.order)
    return pagination.rows_after(rows.exclude(pk=after.pk), order=filters.order, row=after)


@dataclass(frozen=True, kw_only=True)
class Emptiness:
    """The reasons why there is nothing to do.

    `held` counts items that others hold, of which the first is free at `free_at`; `deferred` and
    `skipped` count items that the person set aside. Counts stop at `MAX_QUEUE_COUNT`.
    """

    held: int = 0
    free_at: datetime | None = None
    deferred: int = 0
    skipped: int = 0
    narrowed: bool = False
    nothing_pulled: bool = False


def explain_empty_queue(filters: QueueFilter, person: User) -> Emptiness:
    """Return why there is nothing for `person` under `filters`. Call it only if that is so."""
    waiting = apply_filters(Annotation.objects.waiting(), filters)
    held = waiting.not_set_aside_by(person).held_by_others(person, timezone.now())
    leases = Lease.objects.filter(annotation__in=held)
    skipped = SetAside.objects.filter(person=person, kind="skipped", annotation__in=waiting)

    return Emptiness(
        held=_capped_count(held),
        free_at=leases.aggregate(at=Min("until"))["at"],
        deferred=_capped_count(waiting.deferred_by(person)),
        skipped=_capped_count(skipped),
        narrowed=filters.is_narrowed,
        nothing_pulled=not Annotation.objects.exists(),
    )


def _capped_count(rows: QuerySet[Annotation] | QuerySet[SetAside]) -> int:
    return rows.order_by()[:MAX_QUEUE_COUNT].count()
