"""How many decisions there are of each kind and period, and how long they took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from reviewapp.annotations.decisions.filters import NO_RETRIEVER, DecisionFilter, Outcome
from reviewapp.annotations.figures.filters import Breakdown
from reviewapp.annotations.figures.periods import Period, Periods
from reviewapp.annotations.models import Decision
from reviewapp.annotations.querysets import DecisionQuerySet
from reviewapp.web.filters import distinct_choices

# A table of periods has no more columns: the people or retrievers with the most decisions.
MAX_COLUMNS = 20

# By breakdown, the fields that hold the key and the name of each part.
_FIELDS = {
    Breakdown.PERSON: ("reviewer_id", "reviewer__username"),
    Breakdown.RETRIEVER: (
        "annotation__retriever__retriever_id",
        "annotation__retriever__name",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Some decisions: how many in all and of each outcome, and the seconds that they took.

    `median` and `slow` (90 % took no longer) are None where none has a time.
    """

    total: int = 0
    by_outcome: dict[str, int]
    median: float | None = None
    slow: float | None = None


_NOTHING = Tally(by_outcome=dict.fromkeys(Outcome.values, 0))


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a breakdown: an outcome, person or retriever; `key` is what its filter takes."""

    breakdown: Breakdown
    key: str
    name: str

    @property
    def filters(self) -> dict[str, Any]:
        """The fields of `DecisionFilter` that select its decisions."""
        if self.breakdown is Breakdown.PERSON:
            return {"person": (self.key,)}
        return {self.breakdown.value: self.key}


@dataclass(frozen=True, kw_only=True)
class PeriodFigures:
    """The decisions of one period; `by_part` counts them by the key of each part."""

    period: Period
    tally: Tally
    by_part: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class DecisionFigures:
    """The figures of all decisions of a span.

    `parts` are those of the breakdown, most decisions first, and `is_cut` says that there are more
    than `MAX_COLUMNS`. `by_part` counts the decisions of each by its key. `people` and `retrievers`
    have the most decisions first too.
    """

    periods: list[PeriodFigures]
    parts: list[Part]
    by_part: dict[str, int]
    is_cut: bool
    people: list[tuple[Part, Tally]]
    retrievers: list[tuple[Part, Tally]]
    total: Tally


def count_decisions(
    decision_filter: DecisionFilter,
    periods: Periods,
    breakdown: Breakdown,
) -> DecisionFigures:
    """Count the decisions of this filter in these periods, of which there is one at least.

    Four queries, and a fifth unless the breakdown is by outcome.
    """
    span = replace(decision_filter, since=periods.since, until=periods.until)
    decisions = span.decisions()
    by_period = _tallies_by_period(decisions, periods.starts)
    total = _tallies_by_period(decisions, periods.starts[:1]).get(1, _NOTHING)
    people = _tallies(decisions, Breakdown.PERSON)
    retrievers = _tallies(decisions, Breakdown.RETRIEVER)

    if breakdown is Breakdown.OUTCOME:
        parts = []
        for value, title in Outcome.choices:
            parts.append(Part(breakdown=breakdown, key=value, name=str(title)))
        by_part = total.by_outcome
        counts = {number: tally.by_outcome for number, tally in by_period.items()}
    else:
        counted = people if breakdown is Breakdown.PERSON else retrievers
        parts = [part for part, _tally in counted]
        by_part = {part.key: tally.total for part, tally in counted}
        counts = _counts_by_period(decisions, periods, breakdown)

    rows = []
    for number, period in enumerate(periods.periods, 1):
        row = PeriodFigures(
            period=period,
            tally=by_period.get(number, _NOTHING),
            by_part=counts.get(number, {}),
        )
        rows.append(row)
    return DecisionFigures(
        periods=rows,
        parts=parts[:MAX_COLUMNS],
        by_part=by_part,
        is_cut=len(parts) > MAX_COLUMNS,
        people=people,
        retrievers=retrievers,
        total=total,
    )


def first_decision_at() -> datetime | None:
    """Return when the first decision of all was made, None without any. One query."""
    return Decision.objects.order_by("created_at").values_list("created_at", flat=True).first()


def _tallies_by_period(
    decisions: DecisionQuerySet,
    starts: Sequence[datetime],
) -> dict[int, Tally]:
    """Return the tally of each period that has decisions, by its number from 1."""
    rows = decisions.by_period(starts).tallied_with_times("period")
    return {row["period"]: _tally(row) for row in rows}


def _counts_by_period(
    decisions: DecisionQuerySet,
    periods: Periods,
    breakdown: Breakdown,
) -> dict[int, dict[str, int]]:
    """Return how many decisions each part has in each period, by number and key."""
    key = _FIELDS[breakdown][0]
    in_periods = decisions.by_period(periods.starts).order_by()
    rows: Any = in_periods.values("period", key).annotate(total=Count("pk"))
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        counts[row["period"]][_key(row[key])] = row["total"]
    return counts


def _tallies(decisions: DecisionQuerySet, breakdown: Breakdown) -> list[tuple[Part, Tally]]:
    """Return the parts that have decisions, each with its tally, most decisions first."""
    key, name = _FIELDS[breakdown]
    rows = decisions.tallied_with_times(key, name)
    by_key = {}
    names = []
    for row in rows:
        row_key = _key(row[key])
        by_key[row_key] = _tally(row)
        names.append((row_key, row[name] or _("Without a retriever"), row_key))

    tallies = []
    for row_key, title in distinct_choices(names):
        part = Part(breakdown=breakdown, key=row_key, name=title)
        tallies.append((part, by_key[row_key]))
    return sorted(tallies, key=lambda pair: (-pair[1].total, pair[0].name, pair[0].key))


def _key(value: object) -> str:
    return NO_RETRIEVER if value is None else str(value)


def _tally(row: dict[str, Any]) -> Tally:
    median, slow = row["times"] or (None, None)
    by_outcome = {outcome.value: row[outcome.value] for outcome in Outcome}
    return Tally(total=row["total"], by_outcome=by_outcome, median=median, slow=slow)
