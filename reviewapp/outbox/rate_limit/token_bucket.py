"""A token bucket for requests to Mixpeek, with one part for each rank of request. Pure.

New tokens go to the parts by fixed shares, so that no rank starves. What does not fit into a full
part overflows into the others, the most urgent first, so that no token is wasted. No minute takes
more tokens than are allowed: a full bucket holds a tenth of them, and the minute's refill is the
rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

# The lowest limit after rejections, in requests a minute.
MIN_PER_MINUTE = 10.0
# What each part holds at least: two tokens for a delivery (it reads and writes), one for a read.
MIN_CAPACITIES = (2.0, 2.0, 1.0)
SHARES = (0.60, 0.25, 0.15)
_CAPACITY_FRACTION = 0.1
# A rejection halves the limit, once for all requests of the same burst; then it recovers in steps.
_BURST_WINDOW = timedelta(seconds=5)
_RECOVERY_STEP = 0.1
_RECOVERY_INTERVAL = timedelta(minutes=1)
# How long the bucket stays shut after a rejection, in seconds: at most, and without a Retry-After.
_MAX_SHUT_SECONDS = 3600.0
_DEFAULT_SHUT_SECONDS = 1.0
# How long a limit that the server announced counts.
_LIMIT_LIFETIME = timedelta(minutes=10)
# Absorbs floating-point error where tokens or fractions are compared.
_EPSILON = 1e-9


class Rank(IntEnum):
    """The priority of a request, the most urgent first."""

    INTERACTIVE = 0
    BULK = 1
    BACKGROUND = 2


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The tokens of each rank as they were `at` some instant.

    `fraction` of the configured limit is allowed; it is below 1 since Mixpeek rejected a request
    (`lowered_at`), and was last changed at `stepped_at`. `told` is the limit per minute that
    Mixpeek announced, at `told_at`. Nothing is refilled before `at`, so an `at` in the future is
    when a shut bucket opens.
    """

    tokens: tuple[float, float, float]
    at: datetime
    fraction: float = 1.0
    lowered_at: datetime | None = None
    stepped_at: datetime | None = None
    told: int | None = None
    told_at: datetime | None = None
    reason: str = ""


def full_bucket(configured: int, now: datetime) -> Bucket:
    """Return a bucket that no token was taken from."""
    return Bucket(tokens=capacities(float(configured)), at=now)


def allowed_per_minute(bucket: Bucket, configured: int) -> float:
    """Return how many requests a minute are allowed now."""
    limit = min(configured, bucket.told or configured)
    lowered = max(limit * bucket.fraction, MIN_PER_MINUTE)
    return min(float(limit), lowered)


def capacities(per_minute: float) -> tuple[float, float, float]:
    """Return how many tokens the part of each rank holds when it is full."""
    interactive, bulk, background = (
        max(minimum, share * per_minute * _CAPACITY_FRACTION)
        for minimum, share in zip(MIN_CAPACITIES, SHARES, strict=True)
    )
    return interactive, bulk, background


def refill_rate(per_minute: float) -> float:
    """Return how many tokens are added each second."""
    refill_per_minute = per_minute - sum(capacities(per_minute))
    return max(refill_per_minute, per_minute / 2) / 60


def refill(bucket: Bucket, configured: int, now: datetime) -> Bucket:
    """Return the bucket as it is at `now`: its limit recovered by steps, and refilled."""
    bucket = recover(bucket, configured, now)
    per_minute = allowed_per_minute(bucket, configured)
    seconds = max((now - bucket.at).total_seconds(), 0.0)
    added = seconds * refill_rate(per_minute)
    tokens = distribute(bucket.tokens, added, capacities(per_minute))
    return replace(bucket, tokens=tokens, at=max(bucket.at, now))


def distribute(
    tokens: tuple[float, float, float],
    added: float,
    limits: tuple[float, float, float],
) -> tuple[float, float, float]:
    """Return the parts after adding tokens by the shares; overflow goes to the most urgent."""
    parts = []
    overflow = 0.0
    for held, share, limit in zip(tokens, SHARES, limits, strict=True):
        part = held + share * added
        overflow += max(part - limit, 0.0)
        parts.append(min(part, limit))

    for index, limit in enumerate(limits):
        taken = min(overflow, limit - parts[index])
        parts[index] += taken
        overflow -= taken
    return parts[0], parts[1], parts[2]


def recover(bucket: Bucket, configured: int, now: datetime) -> Bucket:
    """Return the bucket with its lowered limit raised by the steps until `now`."""
    if bucket.told_at and now - bucket.told_at > _LIMIT_LIFETIME:
        bucket = replace(bucket, told=None, told_at=None)
    if bucket.stepped_at is None:
        return bucket

    steps = max(int((now - bucket.stepped_at) / _RECOVERY_INTERVAL), 0)
    fraction = min(bucket.fraction + steps * _RECOVERY_STEP, 1.0)
    if fraction > 1.0 - _EPSILON:
        return replace(bucket, fraction=1.0, lowered_at=None, stepped_at=None, reason="")
    stepped_at = bucket.stepped_at + steps * _RECOVERY_INTERVAL
    return replace(bucket, fraction=fraction, stepped_at=stepped_at)


def take(bucket: Bucket, rank: Rank, *, want: int, least: int = 1) -> tuple[Bucket, int]:
    """Take up to `want` tokens of a rank, none if fewer than `least`; returns bucket and number."""
    available = math.floor(bucket.tokens[rank] + _EPSILON)
    taken = min(want, available)
    if taken < least:
        return bucket, 0
    return _with_tokens(bucket, rank, bucket.tokens[rank] - taken), taken


def refund(bucket: Bucket, rank: Rank, tokens: int, configured: int) -> Bucket:
    """Return the bucket with unused tokens put back, up to its capacity."""
    capacity = capacities(allowed_per_minute(bucket, configured))[rank]
    return _with_tokens(bucket, rank, min(bucket.tokens[rank] + tokens, capacity))


def seconds_until_tokens(
    bucket: Bucket,
    rank: Rank,
    *,
    least: int,
    configured: int,
    now: datetime,
) -> float:
    """Return in how many seconds a rank has `least` tokens, if nobody else takes them."""
    per_minute = allowed_per_minute(bucket, configured)
    limits = capacities(per_minute)
    missing = max(least - bucket.tokens[rank], 0.0)

    # Full parts overflow into this one.
    share = 1.0
    for other in Rank:
        if other is not rank and bucket.tokens[other] < limits[other]:
            share = SHARES[rank]

    shut_seconds = max((bucket.at - now).total_seconds(), 0.0)
    return shut_seconds + missing / (refill_rate(per_minute) * share)


def lower(
    bucket: Bucket,
    configured: int,
    now: datetime,
    *,
    retry_after: float | None,
    reason: str,
) -> Bucket:
    """Return the bucket after a rejection (429): empty, shut for `retry_after`, limit halved."""
    fraction = bucket.fraction
    stepped_at = bucket.stepped_at
    last_step = bucket.stepped_at or now
    is_same_burst = bucket.lowered_at is not None and now - last_step < _BURST_WINDOW
    if not is_same_burst:
        minimum = min(MIN_PER_MINUTE / configured, 1.0)
        fraction = max(bucket.fraction / 2, minimum)
        stepped_at = now

    if retry_after is None:
        retry_after = _DEFAULT_SHUT_SECONDS
    opens_at = now + timedelta(seconds=min(retry_after, _MAX_SHUT_SECONDS))
    return replace(
        bucket,
        tokens=(0.0, 0.0, 0.0),
        at=max(bucket.at, opens_at),
        fraction=fraction,
        lowered_at=bucket.lowered_at or now,
        stepped_at=stepped_at,
        reason=reason,
    )


def apply_limit(
    bucket: Bucket,
    now: datetime,
    *,
    per_minute: int | None,
    opens_in: float | None,
) -> Bucket:
    """Return the bucket with the limit that Mixpeek announced: `per_minute` in all.

    When no requests are left, `opens_in` is the seconds until there are; else it is None.
    """
    if per_minute is not None:
        bucket = replace(bucket, told=max(per_minute, 1), told_at=now)
    if opens_in is None:
        return bucket
    opens_at = now + timedelta(seconds=min(opens_in, _MAX_SHUT_SECONDS))
    return replace(bucket, tokens=(0.0, 0.0, 0.0), at=max(bucket.at, opens_at))


def recovers_at(bucket: Bucket) -> datetime | None:
    """Return when the full limit is allowed again if no more is rejected; None if it is now."""
    if bucket.stepped_at is None:
        return None
    steps = math.ceil(round((1.0 - bucket.fraction) / _RECOVERY_STEP, 6))
    return bucket.stepped_at + steps * _RECOVERY_INTERVAL


def _with_tokens(bucket: Bucket, rank: Rank, tokens: float) -> Bucket:
    parts = list(bucket.tokens)
    parts[rank] = tokens
    return replace(bucket, tokens=(parts[0], parts[1], parts[2]))
