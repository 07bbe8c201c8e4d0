"""How long a server asks us to wait: seconds or an HTTP date in `Retry-After`, or seconds in the error's details."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST = 86_400.0
_IN_DETAILS = ("retry_after_seconds", "retry_after")


def retry_after(headers: Mapping[str, str], details: Mapping[str, Any], *, now: datetime) -> float | None:
    """Return the seconds to wait, from 0 to a day, or None when nobody said anything we understand.

    A date is measured against the server's own `Date` header when it sent one, since clocks differ, else against
    `now`. The header comes before `details.retry_after_seconds` and `details.retry_after`.
    """
    header = headers.get("retry-after", "")
    clock = _date(headers.get("date", "")) or now
    candidates = (_seconds(header), _until(header, clock), *(_seconds(details.get(key)) for key in _IN_DETAILS))
    return next((wait for wait in candidates if wait is not None), None)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else min(max(number, 0.0), LONGEST)


def _until(value: str, clock: datetime) -> float | None:
    moment = _date(value)
    return None if moment is None else min(max((moment - clock).total_seconds(), 0.0), LONGEST)


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
