"""What the client asks before each request, and what it passes on of what servers say about their limits.

Mixpeek documents `X-RateLimit-Limit`, `-Remaining`, `-Reset` and `-Window` on one page only, so all may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

# A reset larger than this many seconds is an instant (seconds since 1970), not a span.
_AN_INSTANT = 1e9
_MOST = 1_000_000
_LONGEST_WINDOW = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a server said of its limit: requests a minute, and for how many seconds none is left."""

    per_minute: int | None = None
    opens_in: float | None = None


class Pace(Protocol):
    """Decides when a request may be sent, and hears how it went; called by any thread."""

    def ask(self) -> None:
        """Return when a request may be sent now; raise `Unavailable` with `retry_after` when it may not."""

    def refused(self, retry_after: float | None) -> None:
        """Hear that there were too many requests (429)."""

    def told(self, limit: Limit) -> None:
        """Hear what the server said of its limit."""


def limit(headers: Mapping[str, str], *, now: datetime) -> Limit | None:
    """Return what the headers (names in lower case) say of the limit, None when they say nothing. Pure.

    A limit without a window is for a minute.
    """
    most, left = (_number(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining"))
    window = _number(headers.get("x-ratelimit-window")) or 60.0
    per_minute = int(min(most * 60 / window, _MOST)) if most and 0 < window <= _LONGEST_WINDOW else None
    reset = _number(headers.get("x-ratelimit-reset"))
    opens_in = _until(reset, now) if left is not None and left <= 0 and reset is not None else None
    if per_minute is None and opens_in is None:
        return None
    return Limit(per_minute=per_minute, opens_in=opens_in)


def _until(reset: float, now: datetime) -> float:
    seconds = reset - now.timestamp() if reset > _AN_INSTANT else reset
    return min(max(seconds, 0.0), _LONGEST_WINDOW)


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) and number >= 0 else None
