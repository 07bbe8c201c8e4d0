"""What reverting a decision would do at this moment. Pure.

The preview shows it, and the job asks again under the lock of the annotation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from reviewapp.annotations.decide.reopened_forms import build_reversal
from reviewapp.annotations.fields import BLANK_VALUES
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.value_authorship import given_before_decision, machine_words
from reviewapp.outbox.models import Change


class Effect(TextChoices):
    """What reverting a decision does; the second half leave it as it is."""

    RESTORE = "restore", _("The values from before are restored by a new decision")
    WITHDRAW = "withdraw", _("Not sent to Mixpeek yet: it is undone and withdrawn")
    REOPEN = "reopen", _("“Can't tell” is undone")
    REINSTATE = "reinstate", _("What was decided is decided again")

    UNDONE = "undone", _("Skipped: undone already")
    DECIDED_SINCE = "decided_since", _("Skipped: somebody has decided again since")
    GONE = "gone", _("Skipped: Mixpeek no longer has the annotation")
    CHANGED_SINCE = "changed_since", _("Skipped: the label was changed at Mixpeek since")
    NOTHING_BEFORE = "nothing_before", _("Skipped: there was no annotation before it")
    NO_CHANGE = "no_change", _("Skipped: it changed no value")


SKIPPING = frozenset(
    {
        Effect.UNDONE,
        Effect.DECIDED_SINCE,
        Effect.GONE,
        Effect.CHANGED_SINCE,
        Effect.NOTHING_BEFORE,
        Effect.NO_CHANGE,
    }
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What reverting does, and for a new decision its outcome and the fields that it sets."""

    effect: Effect
    values: dict[str, Any] = field(default_factory=dict)
    outcome: Decision.Outcome = Decision.Outcome.DECIDED

    @property
    def is_skipped(self) -> bool:
        """Whether the decision is left as it is."""
        return self.effect in SKIPPING


def plan_revert(decision: Decision, annotation: Annotation, change: Change | None) -> Plan:
    """Return what reverting a decision does; `change` tells Mixpeek of it."""
    if decision.taken_back:
        return Plan(effect=Effect.UNDONE)
    if annotation.status == Annotation.Status.GONE:
        return Plan(effect=Effect.GONE)
    if annotation.decision_id != decision.pk:
        return Plan(effect=Effect.DECIDED_SINCE)
    if decision.is_revertible:
        return Plan(effect=Effect.REOPEN)
    if change is not None and change.can_be_withdrawn:
        return Plan(effect=Effect.WITHDRAW)
    return plan_restoration(decision, annotation, change)


def plan_restoration(decision: Decision, annotation: Annotation, change: Change | None) -> Plan:
    """Return what restoring the values from before a decision in force does."""
    given_before = given_before_decision(decision.base, annotation.proposed)
    reversal = build_reversal(change, annotation.values(), given_before=given_before)
    if reversal.created_annotation:
        return Plan(effect=Effect.NOTHING_BEFORE)
    if "label" in reversal.changed_since:
        return Plan(effect=Effect.CHANGED_SINCE)
    if not reversal.values:
        return Plan(effect=Effect.NO_CHANGE)
    return Plan(effect=Effect.RESTORE, values=reversal.values)


def plan_reinstatement(decision: Decision, annotation: Annotation, standing: int | None) -> Plan:
    """Return what deciding again does after a revert has withdrawn a decision.

    `standing` is the key of the decision that came into force then, None for none.
    """
    if annotation.status == Annotation.Status.GONE:
        return Plan(effect=Effect.GONE)
    if annotation.decision_id != standing:
        return Plan(effect=Effect.DECIDED_SINCE)
    values = decision.values()
    for name in machine_words(decision.own_words, values, annotation.proposed):
        values[name] = BLANK_VALUES[name]

    outcome = Decision.Outcome(decision.outcome)
    return Plan(effect=Effect.REINSTATE, values=values, outcome=outcome)
