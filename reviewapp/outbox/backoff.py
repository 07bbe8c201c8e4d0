"""How long to wait before the next try. Pure: the throw of the dice is an argument."""

from __future__ import annotations

from datetime import timedelta

_FIRST = 2.0
_LONGEST = 600.0
_LONGEST_ASKED_FOR = 3600.0


def wait(attempts: int, *, retry_after: float | None, dice: float) -> timedelta:
    """Return the pause after the `attempts`-th failure (from 1): 2 s doubling up to 10 minutes, half of it jitter.

    `dice` is from 0 to 1. What the server asks for (`retry_after`, seconds) is the least, up to an hour.
    """
    most = min(_FIRST * 2 ** min(max(attempts, 1) - 1, 20), _LONGEST)
    seconds = most * (0.5 + 0.5 * dice)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, _LONGEST_ASKED_FOR))
    return timedelta(seconds=seconds)
