"""How many requests we may make, and whose turn it is: one token bucket in three parts. Pure.

A part belongs to each rank of request. New tokens are dealt by fixed shares, so that nobody starves; what does not fit
into a full part runs over into the others, the most urgent first, so that nothing is kept back for nobody. In no minute
are more tokens taken than are allowed: a full bucket holds a tenth of them, and the minute's refill is the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

# Where lowering ends, and what the parts hold at least: two tokens for a delivery (it reads and writes), one to read.
LEAST_PER_MINUTE = 10.0
LEAST_HELD = (2.0, 2.0, 1.0)
SHARES = (0.60, 0.25, 0.15)
_HELD = 0.1
# A refusal halves what is allowed, once for all the requests that were under way together; then it grows again.
_TOGETHER = timedelta(seconds=5)
_STEP, _STEP_EVERY = 0.1, timedelta(minutes=1)
_LONGEST_SHUT = 3600.0
_UNSAID_SHUT = 1.0
# What a server said of its limit holds for so long.
_TOLD_HOLDS = timedelta(minutes=10)


class Rank(IntEnum):
    """Whose request it is, the most urgent first."""

    INTERACTIVE = 0
    BULK = 1
    BACKGROUND = 2


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The tokens of each rank as they were `at` some instant.

    `fraction` of what is configured is allowed, less than 1 since Mixpeek refused (`lowered_at`, last moved at
    `stepped_at`); `told` is the limit per minute that Mixpeek itself spoke of. Before `at` nothing is refilled, so an
    `at` that lies ahead is when a shut bucket opens.
    """

    tokens: tuple[float, float, float]
    at: datetime
    fraction: float = 1.0
    lowered_at: datetime | None = None
    stepped_at: datetime | None = None
    told: int | None = None
    told_at: datetime | None = None
    reason: str = ""


def full(configured: int, now: datetime) -> Bucket:
    """Return the bucket that nobody has taken from."""
    return Bucket(tokens=capacities(float(configured)), at=now)


def allowed(bucket: Bucket, configured: int) -> float:
    """Return how many requests a minute are allowed now."""
    most = min(configured, bucket.told or configured)
    return min(float(most), max(most * bucket.fraction, LEAST_PER_MINUTE))


def capacities(per_minute: float) -> tuple[float, float, float]:
    """Return how many tokens the part of each rank holds when it is full."""
    held = (max(least, share * per_minute * _HELD) for least, share in zip(LEAST_HELD, SHARES, strict=True))
    return next(held), next(held), next(held)


def rate(per_minute: float) -> float:
    """Return how many tokens come each second."""
    return max(per_minute - sum(capacities(per_minute)), per_minute / 2) / 60


def refilled(bucket: Bucket, configured: int, now: datetime) -> Bucket:
    """Return the bucket as it is at `now`: recovered by so many steps, and with what has come meanwhile."""
    bucket = _recovered(bucket, configured, now)
    per_minute = allowed(bucket, configured)
    seconds = max((now - bucket.at).total_seconds(), 0.0)
    tokens = _dealt(bucket.tokens, seconds * rate(per_minute), capacities(per_minute))
    return replace(bucket, tokens=tokens, at=max(bucket.at, now))


def _dealt(tokens: tuple[float, ...], coming: float, most: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the parts after dealing `coming` by the shares; what runs over goes to the most urgent with room."""
    after = [have + share * coming for have, share in zip(tokens, SHARES, strict=True)]
    over = sum(max(have - top, 0.0) for have, top in zip(after, most, strict=True))
    after = [min(have, top) for have, top in zip(after, most, strict=True)]
    for part, top in enumerate(most):
        more = min(over, top - after[part])
        after[part] += more
        over -= more
    return after[0], after[1], after[2]


def _recovered(bucket: Bucket, configured: int, now: datetime) -> Bucket:
    if bucket.told_at and now - bucket.told_at > _TOLD_HOLDS:
        bucket = replace(bucket, told=None, told_at=None)
    if bucket.stepped_at is None:
        return bucket
    steps = max(int((now - bucket.stepped_at) / _STEP_EVERY), 0)
    fraction = min(bucket.fraction + steps * _STEP, 1.0)
    if fraction > 1.0 - 1e-9:
        return replace(bucket, fraction=1.0, lowered_at=None, stepped_at=None, reason="")
    return replace(bucket, fraction=fraction, stepped_at=bucket.stepped_at + steps * _STEP_EVERY)


def take(bucket: Bucket, rank: Rank, *, want: int, least: int = 1) -> tuple[Bucket, int]:
    """Return the bucket without up to `want` tokens of a rank, and how many those are: none if not `least`."""
    got = min(want, math.floor(bucket.tokens[rank] + 1e-9))
    if got < least:
        return bucket, 0
    return _with(bucket, rank, bucket.tokens[rank] - got), got


def give_back(bucket: Bucket, rank: Rank, many: int, configured: int) -> Bucket:
    """Return the bucket with tokens that were taken and not used, as far as there is room."""
    most = capacities(allowed(bucket, configured))[rank]
    return _with(bucket, rank, min(bucket.tokens[rank] + many, most))


def wait(bucket: Bucket, rank: Rank, *, least: int, configured: int, now: datetime) -> float:
    """Return after how many seconds there should be `least` tokens for a rank, if nobody else takes them first."""
    per_minute = allowed(bucket, configured)
    most = capacities(per_minute)
    missing = max(least - bucket.tokens[rank], 0.0)
    others_full = all(bucket.tokens[other] >= most[other] for other in Rank if other is not rank)
    pace = rate(per_minute) * (1.0 if others_full else SHARES[rank])
    return max((bucket.at - now).total_seconds(), 0.0) + missing / pace


def lowered(bucket: Bucket, configured: int, now: datetime, *, retry_after: float | None, reason: str) -> Bucket:
    """Return the bucket after Mixpeek refused (429): empty, shut for as long as it asked for, with half the pace."""
    again = bucket.lowered_at is not None and now - (bucket.stepped_at or now) < _TOGETHER
    least = min(LEAST_PER_MINUTE / configured, 1.0)
    fraction = bucket.fraction if again else max(bucket.fraction / 2, least)
    opens = now + timedelta(seconds=min(_UNSAID_SHUT if retry_after is None else retry_after, _LONGEST_SHUT))
    return replace(
        bucket,
        tokens=(0.0, 0.0, 0.0),
        at=max(bucket.at, opens),
        fraction=fraction,
        lowered_at=bucket.lowered_at or now,
        stepped_at=bucket.stepped_at if again else now,
        reason=reason,
    )


def heard(bucket: Bucket, now: datetime, *, per_minute: int | None, opens_in: float | None) -> Bucket:
    """Return the bucket after Mixpeek spoke of its limit: `per_minute` in all; `opens_in` seconds when none is left."""
    if per_minute is not None:
        bucket = replace(bucket, told=max(per_minute, 1), told_at=now)
    if opens_in is None:
        return bucket
    opens = now + timedelta(seconds=min(opens_in, _LONGEST_SHUT))
    return replace(bucket, tokens=(0.0, 0.0, 0.0), at=max(bucket.at, opens))


def recovers_at(bucket: Bucket) -> datetime | None:
    """Return when all that is configured will be allowed again if nothing more happens, None when it is."""
    if bucket.stepped_at is None:
        return None
    return bucket.stepped_at + math.ceil(round((1.0 - bucket.fraction) / _STEP, 6)) * _STEP_EVERY


def _with(bucket: Bucket, rank: Rank, have: float) -> Bucket:
    tokens = list(bucket.tokens)
    tokens[rank] = have
    return replace(bucket, tokens=(tokens[0], tokens[1], tokens[2]))
