"""Read how long a server asks us to wait: `Retry-After`, or seconds in the error's details."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

MAX_RETRY_AFTER = 86_400.0  # seconds
_DETAIL_KEYS = ("retry_after_seconds", "retry_after")


def retry_after(
    headers: Mapping[str, str],
    details: Mapping[str, Any],
    *,
    now: datetime,
) -> float | None:
    """Return the seconds to wait, from 0 to a day, or None when the server did not say.

    A date is measured against the server's own `Date` header when there is one, because clocks
    differ, else against `now`. The header comes before `details.retry_after_seconds` and
    `details.retry_after`.
    """
    header = headers.get("retry-after", "")
    seconds = _parse_seconds(header)
    if seconds is not None:
        return seconds

    moment = _parse_date(header)
    if moment is not None:
        server_time = _parse_date(headers.get("date", "")) or now
        return _limit_wait((moment - server_time).total_seconds())

    for key in _DETAIL_KEYS:
        seconds = _parse_seconds(details.get(key))
        if seconds is not None:
            return seconds
    return None


def _parse_seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    if math.isnan(seconds):
        return None
    return _limit_wait(seconds)


def _parse_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        if not moment.tzinfo:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _limit_wait(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
