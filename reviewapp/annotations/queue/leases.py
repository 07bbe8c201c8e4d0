"""Leases: who has an item open, so that two people are never given the same one; none of them locks a decision.

A lease runs out by itself. It keeps items from being handed out twice and tells others who is there; that nobody
overwrites anybody is the decision's own check (`services.decide`), lease or not. A person holds `MOST` items: above
that, those that would run out first are let go, so that nobody keeps the queue from others by opening all of it.
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

LASTS = timedelta(minutes=10)
MOST = 20
_TRIES = 20

# One statement, so nobody comes in between. A lease that a crash of the database takes back harms nobody, so nobody
# waits for the disk.
_TAKE = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true)), taken AS (
    INSERT INTO annotations_lease AS held (annotation_id, holder_id, until)
    SELECT %(annotation)s, %(person)s, %(until)s FROM quick
    ON CONFLICT (annotation_id) DO UPDATE SET holder_id = excluded.holder_id, until = excluded.until
    WHERE held.holder_id = excluded.holder_id OR held.until <= %(now)s
    RETURNING id
), oldest AS (
    SELECT id FROM annotations_lease WHERE holder_id = %(person)s AND annotation_id <> %(annotation)s
    ORDER BY until DESC OFFSET %(others)s
), let_go AS (
    DELETE FROM annotations_lease WHERE EXISTS (SELECT FROM taken) AND id IN (
        SELECT id FROM annotations_lease WHERE id IN (SELECT id FROM oldest) FOR UPDATE SKIP LOCKED
    )
)
SELECT id FROM taken
"""

# The same goes for letting go, unless something is decided in the same transaction: that must be on the disk.
_RELEASE = """
WITH quick AS (
    SELECT CASE WHEN %(alone)s::bool THEN set_config('synchronous_commit', 'off', true) END
)
DELETE FROM annotations_lease held USING quick
WHERE annotation_id = %(annotation)s AND holder_id = %(person)s RETURNING held.id
"""
# The first that is free, and the lease on it, in one statement; `{free}` is a question that locks what it finds.
_CLAIM = """
WITH found AS ({free}), quick AS (SELECT set_config('synchronous_commit', 'off', true)), taken AS (
    INSERT INTO annotations_lease AS held (annotation_id, holder_id, until)
    SELECT found.id, %s, %s FROM found, quick
    ON CONFLICT (annotation_id) DO UPDATE SET holder_id = excluded.holder_id, until = excluded.until
    WHERE held.holder_id = excluded.holder_id OR held.until <= %s
    RETURNING annotation_id
), oldest AS (
    SELECT id FROM annotations_lease WHERE holder_id = %s AND annotation_id NOT IN (SELECT id FROM found)
    ORDER BY until DESC OFFSET %s
), let_go AS (
    DELETE FROM annotations_lease WHERE EXISTS (SELECT FROM taken) AND id IN (
        SELECT id FROM annotations_lease WHERE id IN (SELECT id FROM oldest) FOR UPDATE SKIP LOCKED
    )
)
SELECT found.id, taken.annotation_id IS NOT NULL FROM found LEFT JOIN taken ON true
"""


def take(annotation: Annotation, person: User, *, now: datetime) -> Lease:
    """Give `person` the item until ten minutes from `now`, unless somebody else holds it.

    Returns the lease as it stands afterwards: look at its `holder` to see who got it. Taking one's own again
    extends it; one that has run out is anybody's. Above `MOST`, the person's oldest ones are let go.
    """
    wanted: dict[str, int | datetime] = {
        "annotation": annotation.pk,
        "person": person.pk,
        "until": now + LASTS,
        "now": now,
        "others": MOST - 1,
    }
    if taken := rows(_TAKE, wanted):
        return Lease(pk=taken[0][0], annotation=annotation, holder=person, until=now + LASTS)
    lease = Lease.objects.select_related("holder").filter(annotation=annotation).first()
    # Gone between two statements: its holder has just let it go.
    return lease or take(annotation, person, now=now)


def release(annotation_id: int, person: User) -> bool:
    """Let the item go; returns whether `person` held it."""
    alone = not connection.in_atomic_block
    return bool(rows(_RELEASE, {"annotation": annotation_id, "person": person.pk, "alone": alone}))


def let_oldest_go(person: User) -> None:
    """Let go what `person` holds above `MOST`, inside the transaction that gave them one more."""
    oldest = Lease.objects.filter(holder=person).order_by("-until", "-id")[MOST:]
    Lease.objects.filter(pk__in=oldest.values("pk")).delete()


def claim_next(candidates: QuerySet[Annotation], person: User, *, now: datetime) -> Annotation | None:
    """Take the first of `candidates` that nobody is just being given; None when there is none.

    `candidates` leave out what others hold (`querysets.candidates`). Rows that another claim has locked are passed
    over, so ten people asking at once get ten items without waiting for each other.
    """
    lost: list[int] = []
    for _ in range(_TRIES):
        with transaction.atomic():
            free = candidates.exclude(pk__in=lost) if lost else candidates
            found = free.only("pk").select_for_update(skip_locked=True, of=("self",)).first()
            if found is None or take(found, person, now=now).holder_id == person.pk:
                return found
        # Taken after our query began to read, and unlocked again before it came to this row.
        lost.append(found.pk)
    return None


def claiming(
    free: QuerySet[Annotation], names: Mapping[Any, str], *, person: int, until: datetime, now: datetime
) -> Sql:
    """Return the statement that takes the first of `free`, all with stand-ins (`reviewapp.asked`).

    It finds nothing, or one row: the key of an annotation, and whether it could be taken.
    """
    with transaction.atomic():
        text, parameters = free.only("pk").select_for_update(skip_locked=True, of=("self",))[:1].query.sql_with_params()
    parameters = (*parameters, person, until, now, person, MOST - 1)
    return Sql(text=_CLAIM.format(free=text), parameters=parameters, names=names)
