"""Claims: who delivers what, for how long. A claim moves `due` forward; a crash at any instant needs no clean-up.

What a person waits for is claimed first, with whatever is queued before it on the same ref; each round keeps a share
for the rest, so nobody starves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank


def claim_for(timeout: int) -> timedelta:
    """Return how long a claim lasts when a request may be silent for `timeout` seconds: 240 s at the usual 30.

    A delivery makes three requests at most, each over within three connects (of 5 s at most) and two reads (the
    client's `longest_call`): whoever claims has its row to itself for longer than that.
    """
    return timedelta(seconds=3 * (3 * min(5, timeout) + 2 * timeout)) * 16 / 15


CLAIM = claim_for(settings.MIXPEEK_TIMEOUT)

# Who finds a claim that has run out does not know how far whoever had it came.
# A claim that a crash of the database takes back is due again, which is what it would be anyway: nobody waits for the
# disk.
_CLAIM = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true)), heads AS MATERIALIZED (
    SELECT head.id FROM {candidates}
      AND head.state = 'queued' AND head.due <= %(now)s
      AND NOT EXISTS (SELECT FROM outbox_change older
                      WHERE older.ref = head.ref AND older.state = 'queued' AND older.id < head.id)
    ORDER BY {order} LIMIT %(most)s FOR UPDATE OF head SKIP LOCKED
)
UPDATE outbox_change SET due = %(until)s, claimed_at = %(now)s,
    maybe_sent = maybe_sent OR claimed_at IS NOT NULL FROM quick, heads
WHERE outbox_change.id = heads.id AND state = 'queued' AND due <= %(now)s
  AND (%(probing)s OR NOT EXISTS (SELECT FROM outbox_pause))
RETURNING outbox_change.*
"""
# The oldest on the ref of an urgent change is as urgent as that.
_URGENT = _CLAIM.format(
    candidates="""outbox_change mine JOIN outbox_change head ON head.ref = mine.ref
    WHERE mine.state = 'queued' AND mine.rank = 0 AND mine.due <= %(now)s""",
    order="mine.due, mine.id",
)
_BULK = _CLAIM.format(candidates="outbox_change head WHERE head.rank = 1", order="head.due, head.id")
_THESE = _CLAIM.format(candidates="outbox_change head WHERE head.id = ANY(%(ids)s)", order="head.id")
_RENEW = """
UPDATE outbox_change SET due = %s FROM unnest(%s::bigint[], %s::timestamptz[]) AS held (id, due)
WHERE outbox_change.id = held.id AND outbox_change.due = held.due AND state = 'queued' RETURNING outbox_change.id
"""
_RELEASE = """
UPDATE outbox_change SET due = %s, claimed_at = NULL FROM unnest(%s::bigint[], %s::timestamptz[]) AS held (id, due)
WHERE outbox_change.id = held.id AND outbox_change.due = held.due AND state = 'queued'
"""


def claim(now: datetime, *, probing: bool = False) -> Change | None:
    """Take the next due change that is the oldest queued one on its ref, moving its `due` forward by `CLAIM`.

    Returns None when nothing is due, or the outbox is paused and this is not a probe.
    """
    for rank in (Rank.INTERACTIVE, Rank.BULK):
        if found := claim_many(now, rank=rank, most=1, probing=probing):
            return found[0]
    return None


def claim_many(now: datetime, *, rank: Rank, most: int, probing: bool = False) -> list[Change]:
    """Take up to `most` due heads of a rank at once, the longest due first; see `claim`."""
    query = _URGENT if rank is Rank.INTERACTIVE else _BULK
    found = Change.objects.raw(query, {"now": now, "until": now + CLAIM, "most": most, "probing": probing})
    return sorted(found, key=lambda change: change.pk)


def claim_these(now: datetime, ids: Collection[int]) -> list[Change]:
    """Take those of the changes that are heads and due still; see `claim`."""
    known = {"now": now, "until": now + CLAIM, "ids": list(ids), "most": len(ids), "probing": False}
    return list(Change.objects.raw(_THESE, known))


def renew(changes: Sequence[Change]) -> list[Change]:
    """Have the claims on these last for another `CLAIM` from now; returns those that were ours still."""
    until = timezone.now() + CLAIM
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [until, [each.pk for each in changes], [each.due for each in changes]])
        ours = {pk for (pk,) in cursor.fetchall()}
    kept = [change for change in changes if change.pk in ours]
    for change in kept:
        change.due = until
    return kept


def release(changes: Sequence[Change], *, until: datetime | None = None) -> None:
    """Give claimed changes back untried: they are due at once, or at an instant; no attempt is counted.

    One whose claim ran out is left alone, as somebody else may be delivering it by now.
    """
    if changes:
        with connection.cursor() as cursor:
            due = until or timezone.now()
            cursor.execute(_RELEASE, [due, [each.pk for each in changes], [each.due for each in changes]])
