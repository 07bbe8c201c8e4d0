"""How far the deliveries of decisions got in each period, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reviewapp.annotations.decisions.filters import DecisionFilter
from reviewapp.annotations.figures.periods import Period, Periods
from reviewapp.annotations.figures.quantiles import Quantiles, Times, times_of
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
    """Count the deliveries of this filter's decisions, in one period at least. Two queries."""
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
    rows = decisions.tallied_by_delivery("period").annotate(times=Quantiles("delivery_tenths"))
    by_number = {row["period"]: row for row in rows}
    tallies = []
    for number in range(1, len(periods.periods) + 1):
        row = by_number.get(number, {})
        tally = DeliveryTally(
            by_state={state: row.get(state, 0) for state in Change.State.values},
            times=times_of(row.get("times")),
        )
        tallies.append(tally)
    return tallies
