"""The request budget that all processes share: one row from which every request to Mixpeek is paid.

`token_bucket.py` holds the rules; here they are applied under the row's lock and by the database's
clock. Tokens are taken a few at a time and unused ones are returned, so a process that dies costs
the others at most what it had taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from reviewapp.outbox.models import Budget
from reviewapp.outbox.rate_limit import token_bucket
from reviewapp.outbox.rate_limit.token_bucket import Bucket, Rank

# Nobody takes more at once than what is refilled in so many seconds.
_CHUNK_SECONDS = 0.5
_READ = "SELECT *, clock_timestamp() AS now FROM outbox_budget WHERE id = 1"
# A database crash may restore tokens that were spent; at worst Mixpeek then rejects a request.
_LOCK = """
SELECT *, clock_timestamp() AS now,
    CASE WHEN %s THEN set_config('synchronous_commit', 'off', true) END AS quick
FROM outbox_budget WHERE id = 1 FOR UPDATE
"""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Tokens that may be spent now; if there are none, `wait` is the seconds until a retry."""

    tokens: int
    wait: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BudgetStatus:
    """The budget now: requests a minute, configured and allowed, and the tokens left for each rank.

    `lowered_since` is when Mixpeek rejected a request (`why`), `lowered_until` when the configured
    limit is allowed again. No request is sent before `shut_until`. `told` is the limit per minute
    that Mixpeek announced.
    """

    configured: int
    allowed: int
    tokens: dict[Rank, int]
    lowered_since: datetime | None = None
    lowered_until: datetime | None = None
    shut_until: datetime | None = None
    told: int | None = None
    why: str = ""

    @property
    def is_lowered(self) -> bool:
        """Whether less is allowed than is configured."""
        return self.allowed < self.configured


def reserve(
    rank: Rank,
    *,
    want: int,
    least: int = 1,
    back: int = 0,
    whole: bool = False,
) -> Grant:
    """Return `back` unused tokens, then take up to `want` tokens of a rank: `least` or none.

    A grant is limited to what is refilled in half a second, or `least` if that is more, unless all
    are wanted as a `whole`.
    """
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    with _locked() as locked:
        bucket = token_bucket.refund(locked.bucket, rank, back, configured)

        limit = want
        if not whole:
            per_minute = token_bucket.allowed_per_minute(bucket, configured)
            chunk = math.ceil(token_bucket.refill_rate(per_minute) * _CHUNK_SECONDS)
            limit = min(want, max(chunk, least))

        locked.bucket, taken = token_bucket.take(bucket, rank, want=limit, least=least)
        if taken:
            return Grant(tokens=taken)
        wait = token_bucket.seconds_until_tokens(
            locked.bucket,
            rank,
            least=least,
            configured=configured,
            now=locked.now,
        )
        return Grant(tokens=0, wait=wait)


def refund_tokens(rank: Rank, tokens: int) -> None:
    """Return tokens that were taken and not used."""
    if tokens <= 0:
        return
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    with _locked() as locked:
        locked.bucket = token_bucket.refund(locked.bucket, rank, tokens, configured)


def lower_limit(*, retry_after: float | None, reason: str) -> None:
    """Lower the limit after Mixpeek rejected a request (429); `retry_after` is in seconds."""
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    with _locked() as locked:
        locked.bucket = token_bucket.lower(
            locked.bucket,
            configured,
            locked.now,
            retry_after=retry_after,
            reason=reason,
        )


def record_limit(*, per_minute: int | None = None, opens_in: float | None = None) -> None:
    """Record the limit that Mixpeek announced, or that none is left for `opens_in` seconds."""
    with _locked() as locked:
        locked.bucket = token_bucket.apply_limit(
            locked.bucket,
            locked.now,
            per_minute=per_minute,
            opens_in=opens_in,
        )


def budget_status() -> BudgetStatus:
    """Return the state of the budget, with one query and no lock."""
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    row = next(iter(Budget.objects.raw(_READ)), None)
    if row is None:
        capacities = token_bucket.capacities(configured)
        full = {rank: math.floor(capacities[rank]) for rank in Rank}
        return BudgetStatus(configured=configured, allowed=configured, tokens=full)

    bucket = token_bucket.refill(_bucket_from(row), configured, row.now)
    tokens = {rank: math.floor(bucket.tokens[rank]) for rank in Rank}
    shut_until = None
    if bucket.at > row.now:
        shut_until = bucket.at
    return BudgetStatus(
        configured=configured,
        allowed=round(token_bucket.allowed_per_minute(bucket, configured)),
        tokens=tokens,
        lowered_since=bucket.lowered_at,
        lowered_until=token_bucket.recovers_at(bucket),
        shut_until=shut_until,
        told=bucket.told,
        why=bucket.reason,
    )


@dataclass(kw_only=True)
class _LockedBucket:
    """The bucket while its row is locked: what is assigned to `bucket` is saved."""

    bucket: Bucket
    now: datetime


@contextmanager
def _locked() -> Iterator[_LockedBucket]:
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    alone = not connection.in_atomic_block
    with transaction.atomic(savepoint=False):
        row = next(iter(Budget.objects.raw(_LOCK, [alone])), None)
        if row is None:
            # Create it, unless another process does so first.
            with connection.cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                [(now,)] = cursor.fetchall()

            full = token_bucket.full_bucket(configured, now)
            Budget.objects.bulk_create([Budget(id=1, **_columns(full))], ignore_conflicts=True)
            row = Budget.objects.raw(_LOCK, [alone])[0]

        bucket = token_bucket.refill(_bucket_from(row), configured, row.now)
        locked = _LockedBucket(bucket=bucket, now=row.now)
        yield locked
        Budget.objects.filter(pk=1).update(**_columns(locked.bucket))


def _bucket_from(row: Budget) -> Bucket:
    return Bucket(
        tokens=(row.interactive, row.bulk, row.background),
        at=row.at,
        fraction=row.fraction,
        lowered_at=row.lowered_at,
        stepped_at=row.stepped_at,
        told=row.told,
        told_at=row.told_at,
        reason=row.reason,
    )


def _columns(bucket: Bucket) -> dict[str, object]:
    columns = asdict(bucket)
    interactive, bulk, background = columns.pop("tokens")
    return {"interactive": interactive, "bulk": bulk, "background": background, **columns}
