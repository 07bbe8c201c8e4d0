"""How often people override the labels that the machine proposed, and by which labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import sqrt

from django.db.models import Count
from django.db.models.fields.json import KT

from reviewapp.annotations.decisions.totals import MAX_COUNTED
from reviewapp.annotations.models import Decision
from reviewapp.annotations.querysets import DecisionQuerySet

# With fewer decisions, a share says too little.
LEAST_DECISIONS = 20
# Standard deviations on both sides that hold 95 % of a normal distribution.
_Z = 1.959964


@dataclass(frozen=True, kw_only=True)
class Override:
    """The decisions about one label of the machine's.

    `by_label` counts those who decided another label, by that label, the most frequent first.
    """

    label: str
    total: int
    undecidable: int
    by_label: dict[str, int]

    @property
    def overridden(self) -> int:
        """How many decided another label."""
        return sum(self.by_label.values())

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
class Overrides:
    """The overrides of each label, most decisions first. `is_cut`: older decisions are left out."""

    labels: list[Override]
    is_cut: bool


def count_overrides(decisions: DecisionQuerySet, *, most: int = MAX_COUNTED) -> Overrides:
    """Count what was decided about the machine's labels. One query, or two.

    Only decisions count whose person saw the machine's label and that were not undone, the newest
    `most` of them.
    """
    matching = decisions.on_machines_label().with_standing("not_undone")
    newest_first = matching.order_by("-id").values("pk")
    counted = Decision.objects.filter(pk__in=newest_first[:most])
    seen = counted.annotate(label_seen=KT("base__label"))
    rows = seen.values_list("label_seen", "outcome", "label").annotate(Count("pk"))

    totals: Counter[str] = Counter()
    undecidable: Counter[str] = Counter()
    decided: dict[str, Counter[str]] = defaultdict(Counter)
    for label_seen, outcome, label, count in rows:
        totals[label_seen] += count
        if outcome == Decision.Outcome.UNDECIDABLE:
            undecidable[label_seen] += count
        elif label != label_seen:
            decided[label_seen][label] += count

    labels = []
    for label, total in totals.most_common():
        by_label = dict(decided[label].most_common())
        override = Override(
            label=label, total=total, undecidable=undecidable[label], by_label=by_label
        )
        labels.append(override)
    is_cut = totals.total() == most and newest_first[most : most + 1].exists()
    return Overrides(labels=labels, is_cut=is_cut)


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
