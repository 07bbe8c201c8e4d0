"""Decisions as a list shows them: what each changed, how far it got, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reviewapp.annotations.models import Decision
from reviewapp.outbox.models import Change


@dataclass(frozen=True, kw_only=True)
class DecisionRow:
    """One line of a list of decisions.

    Labels are worded as in the label set that was in force. `before` is the label that the person
    saw, "" for none. `change` tells Mixpeek of it, None if there was nothing to tell.
    """

    decision: Decision
    before: str
    label: str
    change: Change | None

    @property
    def title(self) -> str:
        """The name of the document."""
        annotation = self.decision.annotation
        return annotation.title or annotation.document_id

    @property
    def is_undecidable(self) -> bool:
        """Whether the person could not tell."""
        return self.decision.outcome == Decision.Outcome.UNDECIDABLE

    @property
    def is_confirmed(self) -> bool:
        """Whether the label stayed as the person saw it."""
        return self.before == self.label

    @property
    def undone_at(self) -> datetime | None:
        """When it was undone, None if it was not."""
        return self.decision.undo.at if self.decision.taken_back else None

    @property
    def is_in_force(self) -> bool:
        """Whether it is the decision that stands."""
        return self.decision.annotation.decision_id == self.decision.pk


def build_rows(decisions: Sequence[Decision]) -> list[DecisionRow]:
    """Return the lines of these decisions, which `listed()` has read. One query."""
    by_cause = Change.objects.by_cause(decision.decision_id for decision in decisions)

    rows = []
    for decision in decisions:
        titles = {}
        if decision.label_set is not None:
            for label in decision.label_set.labels:
                titles[label["value"]] = label.get("title") or label["value"]

        before = str(decision.base.get("label") or "")
        row = DecisionRow(
            decision=decision,
            before=titles.get(before, before),
            label=titles.get(decision.label, decision.label),
            change=by_cause.get(decision.decision_id),
        )
        rows.append(row)
    return rows
