"""Exponential back-off with jitter. Pure: the random number is an argument."""

from __future__ import annotations

from datetime import timedelta

# In seconds.
_FIRST_DELAY = 2.0
_MAX_DELAY = 600.0
_MAX_RETRY_AFTER = 3600.0


def backoff_delay(attempts: int, *, retry_after: float | None, jitter: float) -> timedelta:
    """Return the delay after the `attempts`-th failure (from 1): 2 s, doubling up to 10 minutes.

    `jitter` is from 0 to 1 and scales the second half of the delay. The server's `retry_after`
    (seconds) is the minimum, up to an hour.
    """
    exponent = min(max(attempts, 1) - 1, 20)
    full_delay = min(_FIRST_DELAY * 2**exponent, _MAX_DELAY)
    seconds = full_delay * (0.5 + 0.5 * jitter)

    if retry_after is not None:
        seconds = max(seconds, min(retry_after, _MAX_RETRY_AFTER))
    return timedelta(seconds=seconds)
