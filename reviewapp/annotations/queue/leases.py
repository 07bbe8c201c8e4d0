"""Leases: who has an item open until when, so that no two people are given the same item.

A lease expires by itself. It does not lock a decision: `services.decide` itself checks that nobody
overwrites another person's decision, with or without a lease. A person holds at most `MAX_LEASES`
items: above that, the leases that expire first are released, so that nobody can keep the queue from
others by opening all of it.

A page loads its next item ahead, with a lease that `is_prefetched`. That one yields to anybody who
opens the item, and to anybody who finds nothing else, so it never makes a queue look empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection, transaction

from reviewapp.annotations.models import Annotation, Lease
from reviewapp.postgres.statement import sql_file

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

LEASE_DURATION = timedelta(minutes=10)
MAX_LEASES = 20


@dataclass(frozen=True)
class _Taken:
    """A lease that was taken, and how many other items the person holds."""

    lease_id: int
    others: int


_TAKE = sql_file(__file__, "take_lease.sql", _Taken)
_RELEASE = sql_file(__file__, "release_lease.sql", int)


def take_lease(annotation: Annotation, person: User, *, now: datetime) -> Lease:
    """Lease the item to `person` for `LEASE_DURATION` from `now`, unless another person holds it.

    Returns the lease that is then in force: look at its `holder`. To take one's own lease again
    extends it, and anybody may take an expired one. Above `MAX_LEASES`, the person's oldest are
    released.
    """
    until = now + LEASE_DURATION
    taken = _TAKE.first(annotation=annotation.pk, person=person.pk, until=until, now=now)
    if taken is not None:
        release_above_limit(person, others=taken.others)
        return Lease(pk=taken.lease_id, annotation=annotation, holder=person, until=until)

    lease = Lease.objects.select_related("holder").filter(annotation=annotation).first()
    if lease is None:
        # Its holder released it between the two statements.
        return take_lease(annotation, person, now=now)
    return lease


def take_if_free(
    annotation: Annotation,
    person: User,
    current: Lease | None,
    *,
    now: datetime,
) -> Lease | None:
    """Take the lease if this person may decide on the item and nobody else has it open.

    Returns the lease that is then in force, None for none; `current` is the one before.
    """
    if current is not None and (current.until <= now or current.is_prefetched):
        current = None
    is_held = current is not None and current.holder_id != person.pk
    is_gone = annotation.status == Annotation.Status.GONE
    may_decide = person.has_perm("annotations.decide_annotation")
    if is_held or is_gone or not may_decide:
        return current
    return take_lease(annotation, person, now=now)


def release_lease(annotation_id: int, person: User, *, only_prefetched: bool = False) -> bool:
    """Release the item; return whether `person` held it.

    `only_prefetched` leaves it alone if the person has it open, maybe in another tab.
    """
    key = _RELEASE.first(
        annotation=annotation_id,
        person=person.pk,
        alone=not connection.in_atomic_block,
        only_prefetched=only_prefetched,
    )
    return key is not None


def mark_opened(annotation_id: int, person: User) -> None:
    """Note that the person's page now shows the item that it had loaded ahead."""
    own = Lease.objects.filter(annotation_id=annotation_id, holder=person, is_prefetched=True)
    own.update(is_prefetched=False)


def renew_prefetched(annotation_id: int, person: User, *, now: datetime) -> bool:
    """Extend the lease on the next item of this person's page; False if it is no longer theirs."""
    own = Lease.objects.filter(annotation_id=annotation_id, holder=person)
    return own.update(until=now + LEASE_DURATION) > 0


def release_above_limit(person: User, *, others: int) -> None:
    """Release what ends first of what `person` holds above `MAX_LEASES`.

    `others` is how many items the person holds besides the one that was just leased.
    """
    if others >= MAX_LEASES:
        release_oldest(person)


def release_oldest(person: User) -> None:
    """Release what `person` holds above `MAX_LEASES`, except what is being changed right now."""
    oldest = Lease.objects.filter(holder=person).order_by("-until", "-id")[MAX_LEASES:]
    surplus = Lease.objects.filter(pk__in=oldest.values("pk"))
    with transaction.atomic():
        free = surplus.select_for_update(skip_locked=True).values_list("pk", flat=True)
        Lease.objects.filter(pk__in=list(free)).delete()


def release_without_access(*, person: User, **_: object) -> None:
    """Release all that a person holds who may no longer decide (receiver of `access_changed`)."""
    current = type(person).people.get(pk=person.pk)
    if not current.has_perm("annotations.decide_annotation"):
        Lease.objects.filter(holder=person).delete()
