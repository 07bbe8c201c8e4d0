"""A span of time is divided into days, weeks or months of the reader's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from reviewapp.annotations.figures.periods import Periods, Step, divide

NOW = datetime(2026, 3, 31, 15, 30, tzinfo=UTC)
EARLIEST = datetime(2024, 2, 10, 8, 0, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")


def at(text: str) -> datetime:
    """Return an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def periods(since: str = "", until: str = "", zone: str = "UTC") -> Periods:
    """Divide a span, each end of which may be left open."""
    return divide(
        at(since) if since else None,
        at(until) if until else None,
        ZoneInfo(zone),
        now=NOW,
        earliest=EARLIEST,
    )


@pytest.mark.parametrize(
    ("since", "until", "step", "number", "first", "last"),
    [
        ("", "", Step.DAY, 28, "2026-03-04", "2026-03-31"),
        ("", "2025-03-08", Step.DAY, 28, "2025-02-08", "2025-03-07"),
        ("2026-03-30", "", Step.DAY, 2, "2026-03-30", "2026-03-31"),
        ("2026-03-30", "2030-01-01", Step.DAY, 2, "2026-03-30", "2026-03-31"),
        ("2026-01-29", "", Step.DAY, 62, "2026-01-29", "2026-03-31"),
        ("2026-01-28", "", Step.WEEK, 10, "2026-01-28", "2026-03-31"),
        ("2025-03-31", "", Step.WEEK, 53, "2025-03-31", "2026-03-31"),
        ("2025-03-30", "", Step.MONTH, 13, "2025-03-30", "2026-03-31"),
        ("1970-01-01", "", Step.MONTH, 26, "2024-02-10", "2026-03-31"),
    ],
)
def test_it_divides_by_the_length_of_the_span(
    since: str, until: str, step: Step, number: int, first: str, last: str
) -> None:
    divided = periods(since, until)
    assert divided.step is step
    assert len(divided.periods) == number
    assert divided.periods[0].day == date.fromisoformat(first)
    assert divided.last_day == date.fromisoformat(last)


def test_it_leaves_no_gap_and_cuts_the_ends() -> None:
    divided = periods("2025-06-04T10:00:00", "2025-10-01T12:00:00")
    assert divided.since == at("2025-06-04T10:00:00")
    assert divided.until == at("2025-10-01T12:00:00")
    for earlier, later in pairwise(divided.periods):
        assert earlier.until == later.since
        assert later.day.isoweekday() == 1


def test_it_begins_days_at_midnight_of_the_zone_also_when_clocks_change() -> None:
    divided = periods("2026-03-27T23:00:00", "2026-03-30T22:00:00", "Europe/Vienna")
    assert divided.starts == [
        at("2026-03-27T23:00"),
        at("2026-03-28T23:00"),
        at("2026-03-29T22:00"),
    ]
    assert [period.day.day for period in divided.periods] == [28, 29, 30]
    assert divided.periods[1].until - divided.periods[1].since == timedelta(hours=23)


@pytest.mark.parametrize(
    ("since", "until"), [("2027-01-01", ""), ("", "2020-01-01"), ("2020-01-01", "2021-01-01")]
)
def test_it_has_no_period_where_there_can_be_no_decision(since: str, until: str) -> None:
    divided = periods(since, until)
    assert divided.periods == [] or divided.until <= EARLIEST
