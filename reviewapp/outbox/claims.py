"""Claims: which worker delivers which change, and for how long.

A claim (`claim.sql`) moves `due` forward; after a crash at any instant the row is due again,
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

_CLAIM = sql_file(__file__, "claim.sql", Change)
# What waits before an interactive change on its ref is as urgent.
CLAIM_INTERACTIVE = _CLAIM.with_pieces(
    source="outbox_change mine JOIN outbox_change head ON head.ref = mine.ref",
    condition="mine.state = 'queued' AND mine.rank = 0 AND mine.due <= %(now)s",
    order="mine.due, mine.id",
    limit="%(limit)s",
)
CLAIM_BULK = _CLAIM.with_pieces(
    source="outbox_change head",
    condition="head.rank = 1",
    order="head.due, head.id",
    limit="%(limit)s",
)
CLAIM_BY_ID = _CLAIM.with_pieces(
    source="outbox_change head",
    condition="head.id = ANY(%(ids)s)",
    order="head.id",
    limit="ALL",
)
_MOVE = sql_file(__file__, "move_claims.sql", int)


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
    statement = CLAIM_BULK
    if rank is Rank.INTERACTIVE:
        statement = CLAIM_INTERACTIVE
    parameters = {"now": now, "until": now + CLAIM_DURATION, "limit": limit, "probing": probing}
    changes = Change.objects.raw(statement.text, parameters)
    return sorted(changes, key=lambda change: change.pk)


def claim_round(size: int) -> dict[Rank, list[Change]]:
    """Claim up to `size` changes, by rank, the most urgent first.

    A quarter is for bulk changes, or for as many as there are; they get what interactive ones leave
    as well.
    """
    now = timezone.now()
    reserved = size // 4
    claimed = claim_many(now, rank=Rank.BULK, limit=reserved)
    is_more_due = len(claimed) == reserved
    claimed += claim_many(now, rank=Rank.INTERACTIVE, limit=size - len(claimed))
    if is_more_due and len(claimed) < size:
        claimed += claim_many(now, rank=Rank.BULK, limit=size - len(claimed))

    changes_by_rank: dict[Rank, list[Change]] = {}
    for change in sorted(claimed, key=lambda change: change.rank):
        changes_by_rank.setdefault(Rank(change.rank), []).append(change)
    return changes_by_rank


def claim_by_id(now: datetime, ids: Collection[int]) -> list[Change]:
    """Claim those of the changes that are still heads and due; see `claim`."""
    parameters = {
        "now": now,
        "until": now + CLAIM_DURATION,
        "ids": list(ids),
        "probing": False,
    }
    return list(Change.objects.raw(CLAIM_BY_ID.text, parameters))


def renew(changes: Sequence[Change]) -> list[Change]:
    """Extend the claims on these changes to `CLAIM_DURATION` from now; returns those still ours."""
    until = timezone.now() + CLAIM_DURATION
    renewed_ids = _move(changes, until, keep=True)
    renewed = []
    for change in changes:
        if change.pk in renewed_ids:
            change.due = until
            renewed.append(change)
    return renewed


def release(changes: Sequence[Change], *, until: datetime | None = None) -> int:
    """Release claimed changes untried: due now, or at `until`; returns how many were released.

    No attempt is counted.

    A change whose claim expired is left alone, since another worker may be delivering it.
    """
    if not changes:
        return 0
    return len(_move(changes, until or timezone.now(), keep=False))


def _move(changes: Sequence[Change], until: datetime, *, keep: bool) -> set[int]:
    """Make changes due at `until` whose claims still hold, and return their keys."""
    ids = [change.pk for change in changes]
    dues = [change.due for change in changes]
    return set(_MOVE.rows(until=until, ids=ids, dues=dues, keep=keep))
