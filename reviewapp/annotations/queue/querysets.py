"""The queue: which annotations a filter shows, in which order, and which one a person is given next."""

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

CAP = 1000

_SHOWN: dict[Show, Callable[[AnnotationQuerySet, User], AnnotationQuerySet]] = {
    Show.WAITING: lambda found, person: found.waiting().not_set_aside_by(person),
    Show.MINE: lambda found, person: found.decided_by(person),
    Show.DEFERRED: lambda found, person: found.waiting().deferred_by(person),
    Show.DRAFTS: lambda found, person: found.drafted_by(person),
    Show.DECIDED: lambda found, _: found.decided(),
    Show.CONFLICT: lambda found, _: found.needing_attention(),
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
    return shown(narrowed(Annotation.objects.all(), chosen), chosen, person)


def shown(among: AnnotationQuerySet, chosen: QueueFilter, person: User) -> AnnotationQuerySet:
    """Return what the chip of `chosen` leaves of some annotations."""
    found = _SHOWN[chosen.show](among, person)
    # What waits has no reviewer, and the database would look for one through all of it; no key is negative.
    return found.filter(pk__lt=0) if chosen.reviewer and chosen.show in _UNDECIDED else found


def framed(chosen: QueueFilter, person: User) -> AnnotationQuerySet:
    """Return what an index shows by itself of what `chosen` shows to `person`, also what they have set aside."""
    if chosen.show == Show.WAITING:
        return narrowed(Annotation.objects.waiting(), chosen)
    return in_queue(chosen, person)


def narrowed(found: AnnotationQuerySet, chosen: QueueFilter) -> AnnotationQuerySet:
    """Return what the filters of `chosen` leave of some annotations, whichever chip it is about."""
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
    return pagination.beyond(found.exclude(pk=after.pk), order=chosen.order, row=after)


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
    matching = narrowed(Annotation.objects.waiting(), chosen)
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
