"""The days, weeks or months into which figures divide a span of time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

# Without a start, figures are about so many days, the last one included.
USUAL_DAYS = 28
_MOST_DAYS = 62
_MOST_WEEKS = 366


class Step(Enum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class Period:
    """A day, week or month; the first and last of a span may be cut.

    `day` is the date on which it begins. `since` is inclusive, `until` exclusive, both in UTC.
    """

    day: date
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Periods:
    """The periods of a span, oldest first and without gaps; none if the span is empty."""

    step: Step
    zone: ZoneInfo
    periods: list[Period]

    @property
    def since(self) -> datetime:
        """When the first one begins, in UTC."""
        return self.periods[0].since

    @property
    def until(self) -> datetime:
        """When the last one ends, in UTC."""
        return self.periods[-1].until

    @property
    def last_day(self) -> date:
        """The date of the last instant."""
        return (self.until - timedelta(microseconds=1)).astimezone(self.zone).date()

    @property
    def starts(self) -> list[datetime]:
        """When each begins."""
        return [period.since for period in self.periods]


def divide(
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    *,
    now: datetime,
    earliest: datetime | None,
) -> Periods:
    """Return the periods from `since` to `until`, which begin at midnight in `zone`.

    Without `until`, and never later, they end with today. Without `since` they are the last
    `USUAL_DAYS` days. They begin no earlier than the day of `earliest`, the first decision of all.
    A span of up to 62 days is divided into days, one of up to a year into weeks, else into months.
    """
    tomorrow = _midnight(_day(now, zone) + timedelta(days=1), zone)
    end = min(until or tomorrow, tomorrow)
    last_day = _day(end - timedelta(microseconds=1), zone)
    if since is None:
        start = _midnight(last_day - timedelta(days=USUAL_DAYS - 1), zone)
    else:
        start = max(since, _midnight(_day(earliest or now, zone), zone))
    if start >= end:
        return Periods(step=Step.DAY, zone=zone, periods=[])

    first_day = _day(start, zone)
    step = _step((last_day - first_day).days + 1)
    periods = []
    while start < end:
        day = _day(start, zone)
        next_start = min(_midnight(_next_day(day, step), zone), end)
        period = Period(day=day, since=start.astimezone(UTC), until=next_start.astimezone(UTC))
        periods.append(period)
        start = next_start
    return Periods(step=step, zone=zone, periods=periods)


def _step(days: int) -> Step:
    if days <= _MOST_DAYS:
        return Step.DAY
    if days <= _MOST_WEEKS:
        return Step.WEEK
    return Step.MONTH


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins, in UTC, where instants compare and add as they pass."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _next_day(day: date, step: Step) -> date:
    """Return the day after the period of this day: tomorrow, next Monday, or a first of a month."""
    if step is Step.DAY:
        return day + timedelta(days=1)
    if step is Step.WEEK:
        return day + timedelta(days=7 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
