"""How far the deliveries of decisions got in each period, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reviewapp.annotations.decisions.filters import DecisionFilter
from reviewapp.annotations.figures.periods import Period, Periods
from reviewapp.annotations.figures.quantiles import Times, times_by_key
from reviewapp.outbox.models import Change


@dataclass(frozen=True, kw_only=True)
class DeliveryTally:
    """Some decisions that Mixpeek is told of: how many are in each state of `Change`.

    `times` run from the decision until Mixpeek confirmed it.
    """

    by_state: dict[str, int]
    times: Times


@dataclass(frozen=True, kw_only=True)
class DeliveryFigures:
    """The deliveries of each period, and of the whole span."""

    periods: list[tuple[Period, DeliveryTally]]
    total: DeliveryTally


def count_deliveries(decision_filter: DecisionFilter, periods: Periods) -> DeliveryFigures:
    """Count the deliveries of this filter's decisions, in one period at least. Four queries."""
    tallies = _tally_by_period(decision_filter, periods)
    whole = replace(periods, periods=[_whole_span(periods)])
    (total,) = _tally_by_period(decision_filter, whole)
    return DeliveryFigures(
        periods=list(zip(periods.periods, tallies, strict=True)),
        total=total,
    )


def _whole_span(periods: Periods) -> Period:
    return Period(day=periods.periods[0].day, since=periods.since, until=periods.until)


def _tally_by_period(decision_filter: DecisionFilter, periods: Periods) -> list[DeliveryTally]:
    """Return the deliveries of each period, in their order."""
    span = replace(decision_filter, since=periods.since, until=periods.until)
    decisions = span.counted().by_period(periods.starts)
    rows = decisions.timed("delivery_tenths", "period")
    times = times_by_key(rows, "period", "delivery_tenths")
    by_number = {row["period"]: row for row in decisions.tallied_by_delivery("period")}
    tallies = []
    for number in range(1, len(periods.periods) + 1):
        row = by_number.get(number, {})
        tally = DeliveryTally(
            by_state={state: row.get(state, 0) for state in Change.State.values},
            times=times.get(number, Times()),
        )
        tallies.append(tally)
    return tallies
