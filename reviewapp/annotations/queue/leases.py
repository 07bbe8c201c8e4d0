"""Leases: who has an item open until when, so that no two people are given the same item.

A lease expires by itself. It does not lock a decision: `services.decide` itself checks that nobody
overwrites another person's decision, with or without a lease. A person holds at most `MAX_LEASES`
items: above that, the leases that expire first are released, so that nobody can keep the queue from
others by opening all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import QuerySet

from reviewapp.annotations.models import Annotation, Lease
from reviewapp.asked import Sql, rows

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

LEASE_DURATION = timedelta(minutes=10)
MAX_LEASES = 20
_MAX_ATTEMPTS = 20

# One statement, so that no other claim can intervene. `synchronous_commit` is off, because a lease
# that is lost in a crash of the database does no harm.
_TAKE = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true)), taken AS (
    INSERT INTO annotations_lease AS held (annotation_id, holder_id, until)
    SELECT %(annotation)s, %(person)s, %(until)s FROM quick
    ON CONFLICT (annotation_id) DO UPDATE
        SET holder_id = excluded.holder_id, until = excluded.until
    WHERE held.holder_id = excluded.holder_id OR held.until <= %(now)s
    RETURNING id
), oldest AS (
    SELECT id FROM annotations_lease
    WHERE holder_id = %(person)s AND annotation_id <> %(annotation)s
    ORDER BY until DESC OFFSET %(others)s
), let_go AS (
    DELETE FROM annotations_lease WHERE EXISTS (SELECT FROM taken) AND id IN (
        SELECT id FROM annotations_lease WHERE id IN (SELECT id FROM oldest) FOR UPDATE SKIP LOCKED
    )
)
SELECT id FROM taken
"""

# Likewise, unless the same transaction records a decision: that has to be on the disk.
_RELEASE = """
WITH quick AS (
    SELECT CASE WHEN %(alone)s::bool THEN set_config('synchronous_commit', 'off', true) END
)
DELETE FROM annotations_lease held USING quick
WHERE annotation_id = %(annotation)s AND holder_id = %(person)s RETURNING held.id
"""

# Find the first free item and lease it; `{free}` is a query that locks its row.
_CLAIM = """
WITH found AS ({free}), quick AS (SELECT set_config('synchronous_commit', 'off', true)), taken AS (
    INSERT INTO annotations_lease AS held (annotation_id, holder_id, until)
    SELECT found.id, %s, %s FROM found, quick
    ON CONFLICT (annotation_id) DO UPDATE
        SET holder_id = excluded.holder_id, until = excluded.until
    WHERE held.holder_id = excluded.holder_id OR held.until <= %s
    RETURNING annotation_id
), oldest AS (
    SELECT id FROM annotations_lease
    WHERE holder_id = %s AND annotation_id NOT IN (SELECT id FROM found)
    ORDER BY until DESC OFFSET %s
), let_go AS (
    DELETE FROM annotations_lease WHERE EXISTS (SELECT FROM taken) AND id IN (
        SELECT id FROM annotations_lease WHERE id IN (SELECT id FROM oldest) FOR UPDATE SKIP LOCKED
    )
)
SELECT found.id, taken.annotation_id IS NOT NULL FROM found LEFT JOIN taken ON true
"""


def take_lease(annotation: Annotation, person: User, *, now: datetime) -> Lease:
    """Lease the item to `person` for `LEASE_DURATION` from `now`, unless another person holds it.

    Returns the lease that is then in force: look at its `holder`. To take one's own lease again
    extends it, and anybody may take an expired one. Above `MAX_LEASES`, the person's oldest are
    released.
    """
    until = now + LEASE_DURATION
    params: dict[str, int | datetime] = {
        "annotation": annotation.pk,
        "person": person.pk,
        "until": until,
        "now": now,
        "others": MAX_LEASES - 1,
    }
    taken = rows(_TAKE, params)
    if taken:
        return Lease(pk=taken[0][0], annotation=annotation, holder=person, until=until)

    lease = Lease.objects.select_related("holder").filter(annotation=annotation).first()
    if lease is None:
        # Its holder released it between the two statements.
        return take_lease(annotation, person, now=now)
    return lease


def release_lease(annotation_id: int, person: User) -> bool:
    """Release the item; return whether `person` held it."""
    params = {
        "annotation": annotation_id,
        "person": person.pk,
        "alone": not connection.in_atomic_block,
    }
    return bool(rows(_RELEASE, params))


def release_oldest(person: User) -> None:
    """Release what `person` holds above `MAX_LEASES`, in the transaction that added a lease."""
    oldest = Lease.objects.filter(holder=person).order_by("-until", "-id")[MAX_LEASES:]
    Lease.objects.filter(pk__in=oldest.values("pk")).delete()


def release_without_access(*, person: User, **_: object) -> None:
    """Release all that a person holds who may not decide any more (receiver of `access_changed`)."""
    current = type(person).people.get(pk=person.pk)
    if not current.has_perm("annotations.decide_annotation"):
        Lease.objects.filter(holder=person).delete()


def claim_next(
    candidates: QuerySet[Annotation],
    person: User,
    *,
    now: datetime,
) -> Annotation | None:
    """Lease the first of `candidates` that no other claim has locked; return None if there is none.

    `candidates` must leave out what others hold (`querysets.candidates`). Locked rows are skipped,
    so ten people who claim at once get ten items without waiting for each other.
    """
    lost: list[int] = []
    for _ in range(_MAX_ATTEMPTS):
        with transaction.atomic():
            free = candidates.exclude(pk__in=lost) if lost else candidates
            unlocked = free.only("pk").select_for_update(skip_locked=True, of=("self",))
            annotation = unlocked.first()
            if annotation is None:
                return None

            lease = take_lease(annotation, person, now=now)
            if lease.holder_id == person.pk:
                return annotation

        # Leased after our query began to read, and unlocked before it reached this row.
        lost.append(annotation.pk)
    return None


def build_claim_statement(
    free: QuerySet[Annotation],
    names: Mapping[Any, str],
    *,
    person: int,
    until: datetime,
    now: datetime,
) -> Sql:
    """Return the statement that leases the first of `free`; all values are placeholders.

    It returns no row, or one: the key of an annotation, and whether it could be leased.
    """
    unlocked = free.only("pk").select_for_update(skip_locked=True, of=("self",))
    with transaction.atomic():
        text, parameters = unlocked[:1].query.sql_with_params()

    return Sql(
        text=_CLAIM.format(free=text),
        parameters=(*parameters, person, until, now, person, MAX_LEASES - 1),
        names=names,
    )
