"""Claims: which worker delivers which change, and for how long.

A claim (`claim_*.sql`) moves `due` forward; after a crash at any instant the row is due again,
without a clean-up.

Interactive changes are claimed first, together with whatever is queued before them on the same ref.
Each round keeps a share for bulk changes, so that nothing starves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.postgres.statement import sql_file


def claim_duration(timeout: int) -> timedelta:
    """Return how long a claim lasts for a client timeout in seconds: 240 s at the default of 30 s.

    A delivery makes at most three requests. Each ends within three connects (of at most 5 s) and
    two reads (the client's `longest_call`), so the claim outlasts all of them.
    """
    longest_request = 3 * min(5, timeout) + 2 * timeout
    return timedelta(seconds=3 * longest_request) * 16 / 15


CLAIM_DURATION = claim_duration(settings.MIXPEEK_TIMEOUT)

_CLAIM_INTERACTIVE = sql_file(__file__, "claim_interactive.sql", Change)
_CLAIM_BULK = sql_file(__file__, "claim_bulk.sql", Change)
_CLAIM_BY_ID = sql_file(__file__, "claim_by_id.sql", Change)
_RENEW = sql_file(__file__, "renew.sql", int)
_RELEASE = sql_file(__file__, "release.sql", int)


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
    statement = _CLAIM_BULK
    if rank is Rank.INTERACTIVE:
        statement = _CLAIM_INTERACTIVE
    parameters = {"now": now, "until": now + CLAIM_DURATION, "limit": limit, "probing": probing}
    changes = Change.objects.raw(statement.text, parameters)
    return sorted(changes, key=lambda change: change.pk)


def claim_by_id(now: datetime, ids: Collection[int]) -> list[Change]:
    """Claim those of the changes that are still heads and due; see `claim`."""
    parameters = {
        "now": now,
        "until": now + CLAIM_DURATION,
        "ids": list(ids),
        "probing": False,
    }
    return list(Change.objects.raw(_CLAIM_BY_ID.text, parameters))


def renew(changes: Sequence[Change]) -> list[Change]:
    """Extend the claims on these changes to `CLAIM_DURATION` from now; returns those still ours."""
    until = timezone.now() + CLAIM_DURATION
    ids = [change.pk for change in changes]
    dues = [change.due for change in changes]

    renewed_ids = set(_RENEW.rows(until=until, ids=ids, dues=dues))
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

    return len(_RELEASE.rows(until=due, ids=ids, dues=dues))
