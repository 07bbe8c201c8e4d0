"""How many decisions there are of each kind and period, and how long they took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from reviewapp.annotations.decisions.filters import NO_RETRIEVER, DecisionFilter, Outcome
from reviewapp.annotations.figures.filters import Breakdown
from reviewapp.annotations.figures.periods import Period, Periods
from reviewapp.annotations.figures.quantiles import Quantiles, Times, times_of
from reviewapp.annotations.models import Decision
from reviewapp.annotations.querysets import CountedDecisionQuerySet
from reviewapp.retrievers.models import Retriever
from reviewapp.web.filters import distinct_choices

# A table of periods has no more columns: the people, retrievers or labels with the most decisions.
MAX_COLUMNS = 20

# By breakdown, the column that tells its parts apart.
_COLUMNS = {
    Breakdown.PERSON: "reviewer_id",
    Breakdown.RETRIEVER: "retriever_id",
    Breakdown.LABEL: "decided_label",
}


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Some decisions: how many in all and of each outcome, and the seconds that they took."""

    total: int = 0
    by_outcome: dict[str, int]
    times: Times = field(default_factory=Times)


_NOTHING = Tally(by_outcome=dict.fromkeys(Outcome.values, 0))


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a breakdown: an outcome, person, retriever or label decided.

    `key` is what its filter takes, of labels "" for decisions whose person could not tell.
    """

    breakdown: Breakdown
    key: str
    name: str

    @property
    def filters(self) -> dict[str, Any]:
        """The fields of `DecisionFilter` that select its decisions."""
        if self.breakdown is Breakdown.PERSON:
            return {"person": (self.key,)}
        if self.breakdown is not Breakdown.LABEL:
            return {self.breakdown.value: self.key}
        if self.key:
            return {"label_to": self.key}
        return {"outcome": Outcome.UNDECIDABLE}


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

    Eight queries at most.
    """
    span = replace(decision_filter, since=periods.since, until=periods.until)
    decisions = span.counted()
    by_period = _tally(decisions.by_period(periods.starts), "period")
    total = _tally(decisions.by_period(periods.starts[:1]), "period").get(1, _NOTHING)
    people = tally_parts(decisions, Breakdown.PERSON)
    retrievers = tally_parts(decisions, Breakdown.RETRIEVER)

    if breakdown is Breakdown.OUTCOME:
        parts = []
        for value, title in Outcome.choices:
            parts.append(Part(breakdown=breakdown, key=value, name=str(title)))
        by_part = total.by_outcome
        counts = {number: tally.by_outcome for number, tally in by_period.items()}
    else:
        parts, by_part, counts = break_down(decisions, periods, breakdown)

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


def tally_periods(decision_filter: DecisionFilter, periods: Periods) -> list[tuple[Period, Tally]]:
    """Return the decisions of each period, of which there is one at least. One query."""
    span = replace(decision_filter, since=periods.since, until=periods.until)
    tallies = _tally(span.counted().by_period(periods.starts), "period")
    pairs = []
    for number, period in enumerate(periods.periods, 1):
        pairs.append((period, tallies.get(number, _NOTHING)))
    return pairs


def first_decision_at() -> datetime | None:
    """Return when the first decision of all was made, None without any. One query."""
    return Decision.objects.order_by("created_at").values_list("created_at", flat=True).first()


def _tally(decisions: CountedDecisionQuerySet, column: str) -> dict[Any, Tally]:
    """Return the tally of each value of a column that has decisions. One query."""
    tallies = {}
    for row in decisions.tallied(column).annotate(times=Quantiles("tenths")):
        by_outcome = {outcome.value: row[outcome.value] for outcome in Outcome}
        tallies[row[column]] = Tally(
            total=row["total"], by_outcome=by_outcome, times=times_of(row["times"])
        )
    return tallies


def tally_parts(
    decisions: CountedDecisionQuerySet,
    breakdown: Breakdown,
) -> list[tuple[Part, Tally]]:
    """Return the parts that have decisions, each with its tally, most decisions first."""
    tallies = _tally(decisions, _COLUMNS[breakdown])
    pairs = [(part, tallies[key]) for key, part in _parts(breakdown, tallies).items()]
    return sorted(pairs, key=lambda pair: (-pair[1].total, pair[0].name, pair[0].key))


def break_down(
    decisions: CountedDecisionQuerySet,
    periods: Periods,
    breakdown: Breakdown,
) -> tuple[list[Part], Counter[str], dict[int, dict[str, int]]]:
    """Return the parts, most decisions first, and how many decisions each has by its key.

    The last value are the numbers of each period that has any, by its own number from 1.
    """
    column = _COLUMNS[breakdown]
    in_periods = decisions.by_period(periods.starts).with_decided_label()
    rows = list(in_periods.counted_by("period", column))
    parts = _parts(breakdown, {row[column] for row in rows})

    by_part: Counter[str] = Counter()
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        key = parts[row[column]].key
        by_part[key] += row["total"]
        counts[row["period"]][key] = row["total"]

    ordered = sorted(parts.values(), key=lambda part: (-by_part[part.key], part.name, part.key))
    return ordered, by_part, counts


def _parts(breakdown: Breakdown, keys: Iterable[Any]) -> dict[Any, Part]:
    """Return the part of each of these keys of its column. One query, none for labels."""
    keys = set(keys)
    filter_keys = {key: "" if key is None else str(key) for key in keys}
    names: list[tuple[Any, str, str]] = []
    if breakdown is Breakdown.LABEL:
        names = [(label, label or _("Can't tell"), label) for label in keys]
    elif breakdown is Breakdown.PERSON:
        people = get_user_model().objects.filter(pk__in=keys)
        names = [(key, name, str(key)) for key, name in people.values_list("pk", "username")]
    else:
        retrievers = Retriever.objects.filter(pk__in=keys - {None})
        names = list(retrievers.values_list("pk", "name", "retriever_id"))
        filter_keys = {key: retriever_id for key, _name, retriever_id in names}
        if None in keys:
            names.append((None, _("Without a retriever"), NO_RETRIEVER))
            filter_keys[None] = NO_RETRIEVER

    parts = {}
    for key, title in distinct_choices(names):
        parts[key] = Part(breakdown=breakdown, key=filter_keys[key], name=title)
    return parts
