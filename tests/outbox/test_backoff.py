"""How long a failed delivery waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.outbox.backoff import backoff_delay

jitter = st.floats(0, 1)


@pytest.mark.parametrize(
    ("attempts", "retry_after", "shortest", "longest"),
    [
        (1, None, 1, 2),
        (2, None, 2, 4),
        (5, None, 16, 32),
        (50, None, 300, 600),
        (1, 30, 30, 30),
        (9, 30, 256, 512),
        (1, 1e9, 3600, 3600),
        (1, 0, 1, 2),
    ],
)
def test_it_doubles_and_honours_what_the_server_asks(
    attempts: int, retry_after: float | None, shortest: float, longest: float
) -> None:
    assert backoff_delay(attempts, retry_after=retry_after, jitter=0).total_seconds() == shortest
    assert backoff_delay(attempts, retry_after=retry_after, jitter=1).total_seconds() == longest


@given(
    attempts=st.integers(-5, 10_000), retry_after=st.none() | st.floats(0, 86_400), jitter=jitter
)
def test_it_always_waits_between_a_second_and_an_hour(
    attempts: int, retry_after: float | None, jitter: float
) -> None:
    assert (
        1 <= backoff_delay(attempts, retry_after=retry_after, jitter=jitter).total_seconds() <= 3600
    )


@given(attempts=st.integers(1, 50), jitter=jitter)
def test_it_never_waits_less_after_one_more_failure(attempts: int, jitter: float) -> None:
    delay = backoff_delay(attempts, retry_after=None, jitter=jitter)
    assert delay <= backoff_delay(attempts + 1, retry_after=None, jitter=jitter)
