"""The one rate budget of all processes: a row in the database that every request to Mixpeek is paid from.

`token_bucket.py` holds the rule; here it is applied, under the row's lock and by the database's clock. Tokens are taken
a few at a time and those not used are given back, so a process that dies costs the others at most what it had taken.
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
from reviewapp.outbox.rate_limit import token_bucket as rule
from reviewapp.outbox.rate_limit.token_bucket import Bucket, Rank

# Nobody takes more at once than what comes in so many seconds.
_CHUNK_SECONDS = 0.5
_READ = "SELECT *, clock_timestamp() AS now FROM outbox_budget WHERE id = 1"
# A crash of the database may bring back tokens that were spent; whoever spends them again hears of it from Mixpeek.
_LOCK = """
SELECT *, clock_timestamp() AS now, CASE WHEN %s THEN set_config('synchronous_commit', 'off', true) END AS quick
FROM outbox_budget WHERE id = 1 FOR UPDATE
"""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Tokens that may be spent at once; when there are none, `wait` says after how many seconds to ask again."""

    tokens: int
    wait: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the budget stands: requests a minute as configured and as allowed now, and the tokens left for each rank.

    `lowered_since` is when Mixpeek refused us (`why`), `lowered_until` when all will be allowed again; before
    `shut_until` nothing is asked at all; `told` is the limit per minute that Mixpeek spoke of.
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
        """Return whether less is allowed than is configured."""
        return self.allowed < self.configured


def reserve(rank: Rank, *, want: int, least: int = 1, back: int = 0, whole: bool = False) -> Grant:
    """Give `back` what was not used, then take up to `want` tokens for requests of a rank: `least` or none.

    Nobody gets more than comes in half a second, unless that is less than `least` or all are wanted as a `whole`.
    """
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    with _locked() as held:
        state = rule.give_back(held.state, rank, back, configured)
        chunk = math.ceil(rule.rate(rule.allowed(state, configured)) * _CHUNK_SECONDS)
        most = want if whole else min(want, max(chunk, least))
        held.state, got = rule.take(state, rank, want=most, least=least)
        wait = 0.0 if got else rule.wait(held.state, rank, least=least, configured=configured, now=held.now)
        return Grant(tokens=got, wait=wait)


def give_back(rank: Rank, many: int) -> None:
    """Return tokens that were taken and not used."""
    if many > 0:
        with _locked() as held:
            held.state = rule.give_back(held.state, rank, many, settings.MIXPEEK_REQUESTS_PER_MINUTE)


def lower(*, retry_after: float | None, reason: str) -> None:
    """Note that Mixpeek refused a request because there were too many; `retry_after` is in seconds."""
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    with _locked() as held:
        held.state = rule.lowered(held.state, configured, held.now, retry_after=retry_after, reason=reason)


def hear(*, per_minute: int | None = None, opens_in: float | None = None) -> None:
    """Note what Mixpeek said of its limit: how much it is, or that nothing is left for so many seconds."""
    with _locked() as held:
        held.state = rule.heard(held.state, held.now, per_minute=per_minute, opens_in=opens_in)


def standing() -> Standing:
    """Return how the budget stands, with one query and no lock."""
    configured = settings.MIXPEEK_REQUESTS_PER_MINUTE
    row = next(iter(Budget.objects.raw(_READ)), None)
    if row is None:
        tokens = {rank: math.floor(held) for rank, held in zip(Rank, rule.capacities(configured), strict=True)}
        return Standing(configured=configured, allowed=configured, tokens=tokens)
    state = rule.refilled(_state(row), configured, row.now)
    return Standing(
        configured=configured,
        allowed=round(rule.allowed(state, configured)),
        tokens={rank: math.floor(state.tokens[rank]) for rank in Rank},
        lowered_since=state.lowered_at,
        lowered_until=rule.recovers_at(state),
        shut_until=state.at if state.at > row.now else None,
        told=state.told,
        why=state.reason,
    )


@dataclass(kw_only=True)
class _Held:
    """The bucket while its row is locked: what is put in `state` is kept."""

    state: Bucket
    now: datetime


@contextmanager
def _locked() -> Iterator[_Held]:
    configured, alone = settings.MIXPEEK_REQUESTS_PER_MINUTE, not connection.in_atomic_block
    with transaction.atomic(savepoint=False):
        row = next(iter(Budget.objects.raw(_LOCK, [alone])), None) or _first(configured, alone=alone)
        held = _Held(state=rule.refilled(_state(row), configured, row.now), now=row.now)
        yield held
        Budget.objects.filter(pk=1).update(**_columns(held.state))


def _first(configured: int, *, alone: bool) -> Budget:
    """Return the row when there was none yet, locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [(now,)] = cursor.fetchall()
    Budget.objects.bulk_create([Budget(id=1, **_columns(rule.full(configured, now)))], ignore_conflicts=True)
    return Budget.objects.raw(_LOCK, [alone])[0]


def _state(row: Budget) -> Bucket:
    named = {name: getattr(row, name) for name in Bucket.__dataclass_fields__ if name != "tokens"}
    return Bucket(tokens=(row.interactive, row.bulk, row.background), **named)


def _columns(state: Bucket) -> dict[str, object]:
    named = asdict(state)
    return dict(zip(("interactive", "bulk", "background"), named.pop("tokens"), strict=True)) | named
