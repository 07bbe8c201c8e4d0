"""The rate limiter that the client calls around each request, and the limits servers report.

Mixpeek documents `X-RateLimit-Limit`, `-Remaining`, `-Reset` and `-Window` on one page only, so all
may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

# A larger reset is a moment (seconds since 1970), not a number of seconds to wait.
_SMALLEST_TIMESTAMP = 1e9
_MAX_PER_MINUTE = 1_000_000
_MAX_WINDOW = 86_400.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A server's limit: requests a minute, and the seconds until it accepts one again."""

    per_minute: int | None = None
    opens_in: float | None = None


class Pace(Protocol):
    """Decides when a request may be sent, and is told the outcome; called by any thread."""

    def ask(self) -> None:
        """Return if a request may be sent now, else raise `Unavailable` with `retry_after`."""

    def refused(self, retry_after: float | None) -> None:
        """Record that the server refused a request as one too many (429)."""

    def record_limit(self, limit: Limit) -> None:
        """Record the limit that the server reported."""


def parse_limit(headers: Mapping[str, str], *, now: datetime) -> Limit | None:
    """Return the limit that the headers (names in lower case) report, or None. Pure.

    A limit without a window is for a minute.
    """
    max_requests = _parse_number(headers.get("x-ratelimit-limit"))
    remaining = _parse_number(headers.get("x-ratelimit-remaining"))
    window = _parse_number(headers.get("x-ratelimit-window")) or 60.0
    reset = _parse_number(headers.get("x-ratelimit-reset"))

    per_minute = None
    if max_requests and 0 < window <= _MAX_WINDOW:
        per_minute = int(min(max_requests * 60 / window, _MAX_PER_MINUTE))

    opens_in = None
    if remaining is not None and remaining <= 0 and reset is not None:
        seconds = reset
        if reset > _SMALLEST_TIMESTAMP:
            seconds = reset - now.timestamp()
        opens_in = min(max(seconds, 0.0), _MAX_WINDOW)

    if per_minute is None and opens_in is None:
        return None
    return Limit(per_minute=per_minute, opens_in=opens_in)


def _parse_number(value: str | None) -> float | None:
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not math.isfinite(number) or number < 0:
        return None
    return number
