"""Claims: which worker delivers which change, and for how long.

A claim moves `due` forward; after a crash at any instant the row is due again, without a clean-up.

Interactive changes are claimed first, together with whatever is queued before them on the same ref.
Each round keeps a share for bulk changes, so that nothing starves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank


def claim_duration(timeout: int) -> timedelta:
    """Return how long a claim lasts for a client timeout in seconds: 240 s at the default of 30 s.

    A delivery makes at most three requests. Each ends within three connects (of at most 5 s) and
    two reads (the client's `longest_call`), so the claim outlasts all of them.
    """
    longest_request = 3 * min(5, timeout) + 2 * timeout
    return timedelta(seconds=3 * longest_request) * 16 / 15


CLAIM_DURATION = claim_duration(settings.MIXPEEK_TIMEOUT)

# A claim that expired may have been sent by the worker that held it, hence `maybe_sent`.
# `synchronous_commit` is off because a claim lost in a database crash is merely due again.
_CLAIM = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true)), heads AS MATERIALIZED (
    SELECT head.id FROM {candidates}
      AND head.state = 'queued' AND head.due <= %(now)s
      AND NOT EXISTS (SELECT FROM outbox_change older
                      WHERE older.ref = head.ref AND older.state = 'queued' AND older.id < head.id)
    ORDER BY {order} LIMIT %(limit)s FOR UPDATE OF head SKIP LOCKED
)
UPDATE outbox_change SET due = %(until)s, claimed_at = %(now)s,
    maybe_sent = maybe_sent OR claimed_at IS NOT NULL FROM quick, heads
WHERE outbox_change.id = heads.id AND state = 'queued' AND due <= %(now)s
  AND (%(probing)s OR NOT EXISTS (SELECT FROM outbox_pause))
RETURNING outbox_change.*
"""
# The oldest change on the ref of an interactive change is as urgent as that change.
_CLAIM_INTERACTIVE = _CLAIM.format(
    candidates="""outbox_change mine JOIN outbox_change head ON head.ref = mine.ref
    WHERE mine.state = 'queued' AND mine.rank = 0 AND mine.due <= %(now)s""",
    order="mine.due, mine.id",
)
_CLAIM_BULK = _CLAIM.format(
    candidates="outbox_change head WHERE head.rank = 1",
    order="head.due, head.id",
)
_CLAIM_BY_ID = _CLAIM.format(
    candidates="outbox_change head WHERE head.id = ANY(%(ids)s)",
    order="head.id",
)
_RENEW = """
UPDATE outbox_change SET due = %s
FROM unnest(%s::bigint[], %s::timestamptz[]) AS held (id, due)
WHERE outbox_change.id = held.id AND outbox_change.due = held.due AND state = 'queued'
RETURNING outbox_change.id
"""
_RELEASE = """
UPDATE outbox_change SET due = %s, claimed_at = NULL
FROM unnest(%s::bigint[], %s::timestamptz[]) AS held (id, due)
WHERE outbox_change.id = held.id AND outbox_change.due = held.due AND state = 'queued'
"""


def claim(now: datetime, *, probing: bool = False) -> Change | None:
    """Claim the next due change that is the oldest queued one on its ref, for `CLAIM_DURATION`.

    Returns None when nothing is due, or the outbox is paused and this is not a probe.
    """
    for rank in (Rank.INTERACTIVE, Rank.BULK):
        changes = claim_many(now, rank=rank, limit=1, probing=probing)
        if changes:
            return changes[0]
    return None


def claim_many(
    now: datetime,
    *,
    rank: Rank,
    limit: int,
    probing: bool = False,
) -> list[Change]:
    """Claim up to `limit` due heads of a rank at once, the longest due first; see `claim`."""
    query = _CLAIM_BULK
    if rank is Rank.INTERACTIVE:
        query = _CLAIM_INTERACTIVE
    parameters = {"now": now, "until": now + CLAIM_DURATION, "limit": limit, "probing": probing}
    changes = Change.objects.raw(query, parameters)
    return sorted(changes, key=lambda change: change.pk)


def claim_by_id(now: datetime, ids: Collection[int]) -> list[Change]:
    """Claim those of the changes that are still heads and due; see `claim`."""
    parameters = {
        "now": now,
        "until": now + CLAIM_DURATION,
        "ids": list(ids),
        "limit": len(ids),
        "probing": False,
    }
    return list(Change.objects.raw(_CLAIM_BY_ID, parameters))


def renew(changes: Sequence[Change]) -> list[Change]:
    """Extend the claims on these changes to `CLAIM_DURATION` from now; returns those still ours."""
    until = timezone.now() + CLAIM_DURATION
    ids = [change.pk for change in changes]
    dues = [change.due for change in changes]

    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [until, ids, dues])
        renewed_ids = {pk for (pk,) in cursor.fetchall()}

    renewed = [change for change in changes if change.pk in renewed_ids]
    for change in renewed:
        change.due = until
    return renewed


def release(changes: Sequence[Change], *, until: datetime | None = None) -> int:
    """Release claimed changes untried: due now, or at `until`; returns how many were released.

    No attempt is counted.

    A change whose claim expired is left alone, since another worker may be delivering it.
    """
    if not changes:
        return 0
    due = until or timezone.now()
    ids = [change.pk for change in changes]
    dues = [change.due for change in changes]

    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [due, ids, dues])
        return int(cursor.rowcount)
