"""The rule of the rate budget: how much, for whom, how long to wait, and what a refusal does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.outbox.rate_limit import token_bucket
from reviewapp.outbox.rate_limit.token_bucket import Bucket, Rank

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = st.integers(10, 100_000)
RANKS = st.sampled_from(list(Rank))
# Who asks for how much, and how long after the one before.
DEMANDS = st.lists(st.tuples(RANKS, st.integers(1, 50), st.floats(0, 20)), max_size=60)


def empty(**values: object) -> Bucket:
    return replace(Bucket(tokens=(0.0, 0.0, 0.0), at=NOW), **values)  # type: ignore[arg-type]


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@given(limit=LIMITS, demands=DEMANDS)
def test_it_allows_no_more_in_any_minute(
    limit: int, demands: list[tuple[Rank, int, float]]
) -> None:
    state, now, taken = token_bucket.full_bucket(limit, NOW), NOW, list[tuple[datetime, int]]()
    for rank, want, after in demands:
        now += timedelta(seconds=after)
        state, got = token_bucket.take(token_bucket.refill(state, limit, now), rank, want=want)
        taken.append((now, got))
    for begin, _ in taken:
        minute = [got for instant, got in taken if begin <= instant < begin + timedelta(minutes=1)]
        assert sum(minute) <= limit + 1e-6


@given(limit=LIMITS, rank=RANKS, greed=st.lists(st.integers(1, 10_000), min_size=5, max_size=40))
def test_it_starves_nobody(limit: int, rank: Rank, greed: list[int]) -> None:
    state, got_in_all = empty(), 0
    for second, most in enumerate(greed, 1):
        state = token_bucket.refill(state, limit, later(second))
        for other in Rank:
            state, got = token_bucket.take(state, other, want=1 if other is rank else most)
            got_in_all += got if other is rank else 0
    share = token_bucket.SHARES[rank] * token_bucket.refill_rate(float(limit)) * len(greed)
    assert got_in_all >= min(int(share), len(greed)) - 1


@pytest.mark.parametrize("rank", list(Rank))
@pytest.mark.parametrize("limit", [10, 60, 600, 60_000])
def test_it_keeps_nothing_back_for_nobody(limit: int, rank: Rank) -> None:
    state, got_in_all = token_bucket.full_bucket(limit, NOW), 0
    state, _ = token_bucket.take(state, rank, want=limit)
    for tenth in range(1, 601):
        state, got = token_bucket.take(
            token_bucket.refill(state, limit, later(tenth / 10)), rank, want=limit
        )
        got_in_all += got
    # What comes while a small part is full and nobody has asked yet is lost.
    assert got_in_all >= token_bucket.refill_rate(float(limit)) * 60 * 0.9 - 2


@given(limit=LIMITS, rank=RANKS, least=st.integers(1, 2), had=st.floats(0, 1), busy=st.booleans())
def test_it_has_the_tokens_when_the_wait_is_over(
    limit: int, rank: Rank, least: int, had: float, busy: bool
) -> None:
    least = min(least, int(token_bucket.MIN_CAPACITIES[rank]))
    others = 0.0 if busy else 1e9
    state = token_bucket.refill(
        empty(tokens=tuple(had if other_rank is rank else others for other_rank in Rank)),
        limit,
        NOW,
    )
    seconds = token_bucket.seconds_until_tokens(state, rank, least=least, configured=limit, now=NOW)
    _, got = token_bucket.take(
        token_bucket.refill(state, limit, later(seconds + 1e-3)), rank, want=least, least=least
    )
    assert got == least


def test_it_gives_all_or_nothing_below_the_least() -> None:
    assert (
        token_bucket.take(empty(tokens=(1.5, 9.0, 9.0)), Rank.INTERACTIVE, want=4, least=2)[1] == 0
    )
    assert (
        token_bucket.take(empty(tokens=(2.5, 9.0, 9.0)), Rank.INTERACTIVE, want=4, least=2)[1] == 2
    )


@given(limit=LIMITS, demands=DEMANDS, back=st.integers(0, 1000))
def test_it_never_holds_more_than_fits(
    limit: int, demands: list[tuple[Rank, int, float]], back: int
) -> None:
    state, now = token_bucket.full_bucket(limit, NOW), NOW
    for rank, want, after in demands:
        now += timedelta(seconds=after)
        state, _ = token_bucket.take(token_bucket.refill(state, limit, now), rank, want=want)
        state = token_bucket.refund(state, rank, back, limit)
        held = zip(
            state.tokens,
            token_bucket.capacities(token_bucket.allowed_per_minute(state, limit)),
            strict=True,
        )
        assert all(-1e-9 <= have <= most + 1e-9 for have, most in held)


def test_it_is_lowered_once_for_requests_that_were_under_way_together() -> None:
    state = token_bucket.full_bucket(600, NOW)
    for second in (0, 1, 2):
        state = token_bucket.lower(state, 600, later(second), retry_after=7, reason="429")
    assert (token_bucket.allowed_per_minute(state, 600), state.tokens, state.at) == (
        300,
        (0, 0, 0),
        later(9),
    )
    state = token_bucket.lower(state, 600, later(30), retry_after=None, reason="429")
    assert token_bucket.allowed_per_minute(state, 600) == 150


@given(
    limit=LIMITS,
    refusals=st.lists(st.tuples(st.floats(0, 90), st.none() | st.floats(0, 9e4)), max_size=30),
)
def test_it_recovers_step_by_step_however_far_it_was_lowered(
    limit: int, refusals: list[tuple[float, float | None]]
) -> None:
    state, now = token_bucket.full_bucket(limit, NOW), NOW
    for after, retry_after in refusals:
        now += timedelta(seconds=after)
        state = token_bucket.refill(state, limit, now)
        state = token_bucket.lower(state, limit, now, retry_after=retry_after, reason="429")
        assert (
            min(limit, token_bucket.MIN_PER_MINUTE)
            <= token_bucket.allowed_per_minute(state, limit)
            <= limit
        )
        assert state.at <= now + timedelta(hours=1)
    ends = token_bucket.recovers_at(state)
    before = 0.0
    while ends and now < ends:
        now += timedelta(seconds=61)
        state = token_bucket.refill(state, limit, now)
        assert token_bucket.allowed_per_minute(state, limit) >= before
        before = token_bucket.allowed_per_minute(state, limit)
    assert token_bucket.allowed_per_minute(token_bucket.refill(state, limit, now), limit) == limit


def test_it_gives_nothing_while_it_is_shut() -> None:
    state = token_bucket.lower(
        token_bucket.full_bucket(600, NOW), 600, NOW, retry_after=30, reason="429"
    )
    assert token_bucket.refill(state, 600, later(29)).tokens == (0, 0, 0)
    assert (
        token_bucket.seconds_until_tokens(state, Rank.INTERACTIVE, least=1, configured=600, now=NOW)
        > 30
    )
    assert sum(token_bucket.refill(state, 600, later(31)).tokens) > 1


def test_it_believes_the_server_for_a_while() -> None:
    state = token_bucket.apply_limit(
        token_bucket.full_bucket(600, NOW), NOW, per_minute=60, opens_in=None
    )
    assert token_bucket.allowed_per_minute(state, 600) == 60
    assert (
        token_bucket.allowed_per_minute(token_bucket.refill(state, 600, later(9 * 60)), 600) == 60
    )
    assert (
        token_bucket.allowed_per_minute(token_bucket.refill(state, 600, later(11 * 60)), 600) == 600
    )
    shut = token_bucket.apply_limit(state, NOW, per_minute=60, opens_in=12.5)
    assert (shut.tokens, shut.at) == ((0, 0, 0), later(12.5))


def test_it_does_not_allow_more_than_is_configured_whatever_the_server_says() -> None:
    bucket = token_bucket.full_bucket(60, NOW)
    bucket = token_bucket.apply_limit(bucket, NOW, per_minute=6000, opens_in=None)
    assert token_bucket.allowed_per_minute(bucket, 60) == 60
