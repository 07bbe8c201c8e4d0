"""How often people override the labels that the machine proposed, and by which labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

from django.db.models import Count, Q

from reviewapp.annotations.decisions.filters import (
    ConfidenceBand,
    DecisionFilter,
    Outcome,
    Seen,
    Standing,
)
from reviewapp.retrievers.models import Retriever

# With fewer decisions, a share says too little.
LEAST_DECISIONS = 20
# A table of labels by labels has no more columns, and a list of confusions no more lines.
MAX_COLUMNS = 12
MAX_CONFUSIONS = 20
# Standard deviations on both sides that hold 95 % of a normal distribution.
_Z = 1.959964


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of some decisions about the machine's labels decided another label.

    `filters` are the fields of `DecisionFilter` that select the decisions.
    """

    total: int
    overridden: int
    undecidable: int = 0
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_enough(self) -> bool:
        """Whether there are enough decisions for a share."""
        return self.total >= LEAST_DECISIONS

    @property
    def share(self) -> float:
        """The share that decided another label, from 0 to 1."""
        return self.overridden / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share."""
        return wilson_interval(self.overridden, self.total)


@dataclass(frozen=True, kw_only=True)
class Override(Share):
    """The decisions about one label of the machine's.

    `by_label` counts the decisions by the label decided, the most frequent first; the machine's own
    is among them if anybody confirmed it.
    """

    label: str
    by_label: dict[str, int]

    @property
    def other_labels(self) -> dict[str, int]:
        """The decisions for another label, by that label."""
        others = dict(self.by_label)
        others.pop(self.label, None)
        return others


@dataclass(frozen=True, kw_only=True)
class Confusion(Share):
    """The decisions about one label of the machine's that decided one other label.

    `total` counts all decisions about the machine's label, `overridden` those for the other one.
    """

    machine: str
    person: str


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What was decided about the machine's labels.

    `labels` has the label with the most decisions first, and so have `columns`, the labels decided
    most often, `MAX_COLUMNS` at most. `bands` are by the machine's confidence, `versions` by the
    version of the retriever, each with its name. `confusions` are the pairs of labels that were
    confused most often.
    """

    labels: list[Override]
    columns: list[str]
    bands: list[tuple[ConfidenceBand, Share]]
    versions: list[tuple[str, int, Share]]
    confusions: list[Confusion]


def about_machines_labels(decision_filter: DecisionFilter) -> DecisionFilter:
    """Return the filter of those decisions whose person saw the machine's label, not undone."""
    return replace(decision_filter, seen=Seen.MACHINE, standing=Standing.NOT_UNDONE)


def count_overrides(decision_filter: DecisionFilter) -> Overrides:
    """Count what was decided about the machine's labels. Four queries.

    Only decisions count whose person saw the machine's label and that were not undone.
    """
    labels = count_labels(decision_filter)
    decided: Counter[str] = Counter()
    confusions = []
    for override in labels:
        decided.update(override.by_label)
        for label, number in override.other_labels.items():
            confusion = Confusion(
                total=override.total,
                overridden=number,
                filters={"label_from": override.label, "label_to": label},
                machine=override.label,
                person=label,
            )
            confusions.append(confusion)

    confusions.sort(key=lambda pair: (-pair.overridden, pair.machine, pair.person))
    return Overrides(
        labels=labels,
        columns=[label for label, _number in decided.most_common(MAX_COLUMNS)],
        bands=count_bands(decision_filter),
        versions=count_versions(decision_filter),
        confusions=confusions[:MAX_CONFUSIONS],
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by Wilson's score; at least one trial. Pure.

    https://doi.org/10.1080/01621459.1927.10502953
    """
    share = successes / trials
    scale = 1 + _Z**2 / trials
    centre = share + _Z**2 / (2 * trials)
    margin = _Z * sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    low = max(0.0, (centre - margin) / scale)
    high = min(1.0, (centre + margin) / scale)
    return low, high


def count_labels(decision_filter: DecisionFilter) -> list[Override]:
    """Return what was decided about each label of the machine's, most decisions first. One query."""
    decisions = about_machines_labels(decision_filter).counted().with_decided_label()
    totals: Counter[str] = Counter()
    undecidable: Counter[str] = Counter()
    decided: dict[str, Counter[str]] = defaultdict(Counter)
    for row in decisions.counted_by("label_seen", "decided_label"):
        seen, label, total = row["label_seen"], row["decided_label"], row["total"]
        totals[seen] += total
        if label:
            decided[seen][label] += total
        else:
            undecidable[seen] += total

    labels = []
    for label, total in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0])):
        by_label = dict(decided[label].most_common())
        override = Override(
            label=label,
            total=total,
            undecidable=undecidable[label],
            overridden=sum(by_label.values()) - by_label.get(label, 0),
            by_label=by_label,
            filters={"label_from": label},
        )
        labels.append(override)
    return labels


def count_bands(decision_filter: DecisionFilter) -> list[tuple[ConfidenceBand, Share]]:
    """Return the shares by the machine's confidence, the lowest first, without one last."""
    decisions = about_machines_labels(decision_filter).counted().with_band()
    rows = {row["band"]: row for row in _shares(decisions, "band")}
    bands = []
    for band in [*range(10), None]:
        if band in rows:
            choice = ConfidenceBand.NONE if band is None else ConfidenceBand(str(band))
            bands.append((choice, _share(rows[band], band=choice.value)))
    return bands


def count_versions(decision_filter: DecisionFilter) -> list[tuple[str, int, Share]]:
    """Return the shares by retriever and its version: by name, the newest version first.

    Decisions about items that had no version of a retriever are in none.
    """
    decisions = about_machines_labels(decision_filter).counted().filter(version__isnull=False)
    rows = list(_shares(decisions, "retriever_id", "version"))
    retrievers = Retriever.objects.in_bulk({row["retriever_id"] for row in rows} - {None})

    versions = []
    for row in rows:
        retriever = retrievers.get(row["retriever_id"])
        if retriever is not None:
            filters = {"retriever": retriever.retriever_id, "version": row["version"]}
            versions.append((retriever.name, row["version"], _share(row, **filters)))
    return sorted(versions, key=lambda version: (version[0], -version[1]))


def _shares(decisions: Any, *by: str) -> Any:
    """Return the numbers of a share for each value of the fields `by`."""
    return decisions.counted_by(*by).annotate(
        overridden=Count("pk", filter=Q(effect=Outcome.RELABELLED)),
        undecidable=Count("pk", filter=Q(effect=Outcome.UNDECIDABLE)),
    )


def _share(row: Mapping[str, Any], **filters: Any) -> Share:
    return Share(
        total=row["total"],
        overridden=row["overridden"],
        undecidable=row["undecidable"],
        filters=filters,
    )
