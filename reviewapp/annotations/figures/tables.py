"""The figures as plain tables, for scripts and spreadsheets: names of columns, and rows of values.

Shares are from 0 to 1, times are in seconds. `until` is exclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reviewapp.annotations.decisions.filters import DecisionFilter, Outcome
from reviewapp.annotations.decisions.overrides import (
    Share,
    count_bands,
    count_labels,
    count_versions,
)
from reviewapp.annotations.figures.counts import (
    Tally,
    break_down,
    first_decision_at,
    tally_parts,
    tally_periods,
)
from reviewapp.annotations.figures.deliveries import count_deliveries
from reviewapp.annotations.figures.filters import Breakdown, FiguresForm
from reviewapp.annotations.figures.periods import Period, Periods
from reviewapp.annotations.figures.quantiles import Times
from reviewapp.annotations.figures.waiting import count_waiting
from reviewapp.audit.presenters.csv_export import BYTE_ORDER_MARK, format_rows
from reviewapp.outbox.models import Change

Row = dict[str, Any]


class Figure(TextChoices):
    """A table of figures, by its name in addresses."""

    DECISIONS = "decisions", _("Decisions by day, week or month")
    PEOPLE = "people", _("Decisions by person")
    RETRIEVERS = "retrievers", _("Decisions by retriever")
    LABELS = "labels", _("Labels decided by day, week or month")
    DELIVERIES = "deliveries", _("Deliveries by day, week or month")
    WAITING = "waiting", _("Waiting items by age")
    OVERRIDES = "overrides", _("Overridden labels")
    LABEL_PAIRS = "label-pairs", _("Machine's labels and labels decided")
    CONFIDENCE = "confidence", _("Overridden labels by the machine's confidence")
    VERSIONS = "versions", _("Overridden labels by retriever version")


_PERIOD = ("since", "until")
_TIMES = ("median_seconds", "p90_seconds")
_TALLY = ("decisions", *Outcome.values, *_TIMES)
_SHARE = ("decisions", "overridden", "cannot_tell", "share", "low", "high")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    Figure.DECISIONS: (*_PERIOD, *_TALLY),
    Figure.PEOPLE: ("person_id", "person", *_TALLY),
    Figure.RETRIEVERS: ("retriever_id", "retriever", *_TALLY),
    Figure.LABELS: (*_PERIOD, "label", "decisions"),
    Figure.DELIVERIES: (*_PERIOD, *Change.State.values, *_TIMES),
    Figure.WAITING: ("age", "items"),
    Figure.OVERRIDES: ("machine_label", *_SHARE),
    Figure.LABEL_PAIRS: ("machine_label", "label", "decisions"),
    Figure.CONFIDENCE: ("confidence", *_SHARE),
    Figure.VERSIONS: ("retriever_id", "retriever", "version", *_SHARE),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a table is about. `periods` has one period at least, except for what waits."""

    decision_filter: DecisionFilter
    periods: Periods

    @property
    def in_span(self) -> DecisionFilter:
        """The filter, for the span of the periods."""
        return replace(self.decision_filter, since=self.periods.since, until=self.periods.until)


def read_figure(figure: Figure, form: FiguresForm) -> tuple[Periods, list[Row]]:
    """Return the periods of a valid form and the rows of a table, each with its `COLUMNS`.

    Without any period there are no rows, but those of what waits.
    """
    periods = form.periods(now=timezone.now(), earliest=first_decision_at())
    if not periods.periods and figure is not Figure.WAITING:
        return periods, []
    question = Question(decision_filter=form.decision_filter(), periods=periods)
    return periods, _TABLES[figure](question)


def figure_as_csv(figure: Figure, form: FiguresForm) -> str:
    """Return a table with the filters of a valid form, for spreadsheets."""
    _periods, rows = read_figure(figure, form)
    columns = COLUMNS[figure]
    lines = [[row[column] for column in columns] for row in rows]
    return BYTE_ORDER_MARK + format_rows([columns, *lines])


def _decision_rows(question: Question) -> list[Row]:
    rows = []
    for period, tally in tally_periods(question.decision_filter, question.periods):
        rows.append(_period(period) | _tally(tally))
    return rows


def _people_rows(question: Question) -> list[Row]:
    rows = []
    for part, tally in tally_parts(question.in_span.counted(), Breakdown.PERSON):
        rows.append({"person_id": int(part.key), "person": part.name} | _tally(tally))
    return rows


def _retriever_rows(question: Question) -> list[Row]:
    rows = []
    for part, tally in tally_parts(question.in_span.counted(), Breakdown.RETRIEVER):
        rows.append({"retriever_id": part.key, "retriever": part.name} | _tally(tally))
    return rows


def _label_rows(question: Question) -> list[Row]:
    decisions = question.in_span.counted()
    parts, _by_part, counts = break_down(decisions, question.periods, Breakdown.LABEL)
    rows = []
    for number, period in enumerate(question.periods.periods, 1):
        in_period = counts.get(number, {})
        for part in parts:
            if part.key in in_period:
                count = {"label": part.key, "decisions": in_period[part.key]}
                rows.append(_period(period) | count)
    return rows


def _delivery_rows(question: Question) -> list[Row]:
    deliveries = count_deliveries(question.decision_filter, question.periods)
    rows = []
    for period, tally in deliveries.periods:
        rows.append(_period(period) | tally.by_state | _times(tally.times))
    return rows


def _waiting_rows(question: Question) -> list[Row]:
    counts = count_waiting(question.decision_filter.retriever)
    return [{"age": row.age.value, "items": row.count} for row in counts]


def _override_rows(question: Question) -> list[Row]:
    rows = []
    for override in count_labels(question.decision_filter):
        rows.append({"machine_label": override.label} | _share(override))
    return rows


def _label_pair_rows(question: Question) -> list[Row]:
    rows = []
    for override in count_labels(question.decision_filter):
        pairs = dict(override.by_label)
        if override.undecidable:
            pairs[""] = override.undecidable
        for label, number in pairs.items():
            rows.append({"machine_label": override.label, "label": label, "decisions": number})
    return rows


def _confidence_rows(question: Question) -> list[Row]:
    rows = []
    for band, share in count_bands(question.decision_filter):
        rows.append({"confidence": str(band.label)} | _share(share))
    return rows


def _version_rows(question: Question) -> list[Row]:
    rows = []
    for name, version, share in count_versions(question.decision_filter):
        retriever = {"retriever_id": share.filters["retriever"], "retriever": name}
        rows.append(retriever | {"version": version} | _share(share))
    return rows


_TABLES: Mapping[str, Callable[[Question], list[Row]]] = {
    Figure.DECISIONS: _decision_rows,
    Figure.PEOPLE: _people_rows,
    Figure.RETRIEVERS: _retriever_rows,
    Figure.LABELS: _label_rows,
    Figure.DELIVERIES: _delivery_rows,
    Figure.WAITING: _waiting_rows,
    Figure.OVERRIDES: _override_rows,
    Figure.LABEL_PAIRS: _label_pair_rows,
    Figure.CONFIDENCE: _confidence_rows,
    Figure.VERSIONS: _version_rows,
}


def _period(period: Period) -> Row:
    return {"since": period.since.isoformat(), "until": period.until.isoformat()}


def _tally(tally: Tally) -> Row:
    return {"decisions": tally.total} | tally.by_outcome | _times(tally.times)


def _times(times: Times) -> Row:
    values = asdict(times)
    return dict(zip(_TIMES, values.values(), strict=True))


def _share(share: Share) -> Row:
    """Return the numbers of a share, which is null where there are too few decisions."""
    numbers: list[float | None] = [None, None, None]
    if share.is_enough:
        numbers = [share.share, *share.interval]
    counts = [share.total, share.overridden, share.undecidable]
    return dict(zip(_SHARE, [*counts, *numbers], strict=True))
