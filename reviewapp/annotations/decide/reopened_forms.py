"""Forms that open an item again with the values of a decision.

- Undo, when it is too late to take a decision back: a new decision with the values from before it.
- Submit again: what a decision held.
- Edit and resend: a decision that Mixpeek did not take, beside Mixpeek's values.

Old values are merged into the current ones: where somebody has changed a field since the decision,
theirs stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from reviewapp.annotations.decide.forms import as_form_data, initial_data, new_decision_data
from reviewapp.annotations.decide.undo import was_told_to_mixpeek
from reviewapp.annotations.fields import BLANK_VALUES, FIELDS, PERSONAL_FIELDS
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.value_authorship import (
    given_before_decision,
    given_by_people,
    machine_words,
)
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import ValueChange, format_value
from reviewapp.web.http import parse_whole_number

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


# Mixpeek has not taken these, so there is nothing to restore there.
_NEVER_DELIVERED = {Change.State.CONFLICT, Change.State.REFUSED, Change.State.WITHDRAWN}


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """What undoing a decision would set now (`values`), field by field (`restored`).

    `changed_since` are the fields that somebody has changed after it; they stay as they are.
    `created_annotation`: the decision created it, so there is nothing to restore.
    """

    values: dict[str, Any]
    restored: tuple[ValueChange, ...] = ()
    changed_since: tuple[str, ...] = ()
    created_annotation: bool = False


def build_reversal(
    change: Change | None,
    current: Mapping[str, Any],
    *,
    given_before: Collection[str] = PERSONAL_FIELDS,
) -> Reversal:
    """Return how to undo the decision that made `change` (None if it changed nothing). Pure.

    `current` are the annotation's values. `given_before` are the personal fields that a person had
    given before the decision; the others were the machine's and become blank.
    """
    if change is None or not change.sets_values or change.state in _NEVER_DELIVERED:
        return Reversal(values={})
    if not change.base.get("label"):
        return Reversal(values={}, created_annotation=True)

    values = {}
    restored = []
    changed_since = []
    for name in FIELDS:
        if name not in change.fields:
            continue

        previous = change.base[name]
        if name in PERSONAL_FIELDS and name not in given_before:
            previous = BLANK_VALUES[name]
        if is_same_json(current[name], previous):
            continue

        if not is_same_json(current[name], change.fields[name]):
            changed_since.append(name)
            continue
        values[name] = previous
        old = format_value(current[name])
        restored.append(ValueChange(name=name, old=old, new=format_value(previous)))
    return Reversal(
        values=values,
        restored=tuple(restored),
        changed_since=tuple(changed_since),
    )


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """What the page shows above a form with the old values.

    `newer_decision` is the one that stands instead, None if this one stands. `is_recallable`: it is
    "can't tell" and stands, so it can still be undone as if it had not been made.
    `was_told_to_mixpeek`: then its undo is sent there, too.
    """

    reversal: Reversal
    newer_decision: Decision | None
    taken_back: bool
    is_recallable: bool
    was_told_to_mixpeek: bool


def reopened_form(
    annotation: Annotation,
    person: User,
    parameters: Mapping[str, str],
) -> dict[str, Any] | None:
    """Return the form for the decision that the query string names: to submit `again` or `undo`.

    Only the person's own decisions on this annotation count; None for no such decision.
    """
    for name, build_form in (("again", resubmit_form), ("undo", undo_form)):
        pk = parse_whole_number(parameters.get(name, ""))
        if not pk:
            continue
        own = Decision.objects.filter(pk=pk, annotation=annotation, reviewer=person)
        decision = own.select_related("undo").first()
        if decision:
            return build_form(annotation, decision)
    return None


def resubmit_form(annotation: Annotation, decision: Decision) -> dict[str, Any]:
    """Return the form with what was submitted in a decision."""
    values = decision.values()
    repeated = _fields_repeating_machine(annotation, decision)
    given = set(PERSONAL_FIELDS).difference(repeated)

    data = _form_data(annotation, values, given) | {"outcome": decision.outcome}
    return {"data": data, "again": decision}


def undo_form(annotation: Annotation, decision: Decision) -> dict[str, Any]:
    """Return the form with the values from before a decision that was sent or is in delivery."""
    change = Change.objects.filter(cause=decision.decision_id).first()
    given_before = given_before_decision(decision.base, annotation.proposed)
    reversal = build_reversal(change, annotation.values(), given_before=given_before)

    stands = annotation.decision_id == decision.pk
    is_recallable = stands and decision.is_revertible
    undoing = Undoing(
        reversal=reversal,
        newer_decision=None if stands else annotation.decision,
        taken_back=decision.taken_back,
        is_recallable=is_recallable,
        was_told_to_mixpeek=is_recallable and was_told_to_mixpeek(decision),
    )

    values = annotation.values() | reversal.values
    given = given_by_people(annotation, annotation.changes) | reversal.values.keys()
    return {"data": _form_data(annotation, values, given), "undoing": undoing}


def _form_data(
    annotation: Annotation,
    values: Mapping[str, Any],
    given: Collection[str],
) -> dict[str, Any]:
    return initial_data(annotation, now=timezone.now()) | as_form_data(values, given)


@dataclass(frozen=True, kw_only=True)
class MixpeekValue:
    """One field as Mixpeek has it now, in words. `differs`: from what was decided."""

    name: str
    value: str
    differs: bool


@dataclass(frozen=True, kw_only=True)
class Resending:
    """The change that needs attention, and Mixpeek's values; none if Mixpeek has no annotation."""

    change: Change
    at_mixpeek: list[MixpeekValue]


def resend_form(annotation: Annotation, key: str) -> dict[str, Any] | None:
    """Return the form's data and the banner for the change with this key.

    None unless the change is in conflict or refused. The form holds what was decided. Its base is
    the annotation as it is now, so that only later changes conflict.
    """
    pk = parse_whole_number(key)
    if not pk or annotation.status == Annotation.Status.GONE:
        return None

    change = Change.objects.attention().filter(ref=annotation.ref, pk=pk).first()
    if change is None:
        return None

    decision = None
    if change.cause is not None:
        decision = Decision.objects.filter(decision_id=change.cause).first()

    values = _decided_values(annotation, change, decision)
    given = set()
    for name in PERSONAL_FIELDS:
        if name in change.fields or not is_same_json(values[name], BLANK_VALUES[name]):
            given.add(name)

    data = {
        **initial_data(annotation, now=timezone.now()),
        **new_decision_data(annotation, given),
        **as_form_data(values, given),
    }
    if decision is not None:
        data["outcome"] = decision.outcome
    at_mixpeek = _mixpeek_values(annotation.upstream, values, given)
    banner = Resending(change=change, at_mixpeek=at_mixpeek)
    return {"data": data, "resending": banner}


def _decided_values(
    annotation: Annotation,
    change: Change,
    decision: Decision | None,
) -> dict[str, Any]:
    """Return the values as they were decided.

    A payload that the decision did not set is the current one, so that nobody's edit is lost.
    """
    values = annotation.values()
    values["label"] = change.base.get("label", annotation.label)
    for name in PERSONAL_FIELDS:
        values[name] = BLANK_VALUES[name]
    if decision is not None:
        values["label"] = decision.label
        repeated = _fields_repeating_machine(annotation, decision)
        for name in PERSONAL_FIELDS:
            if name not in repeated:
                values[name] = getattr(decision, name)

    for name, value in change.fields.items():
        if name in FIELDS:
            values[name] = value
    return values


def _fields_repeating_machine(annotation: Annotation, decision: Decision) -> Collection[str]:
    """Return the personal fields of a decision that hold the machine's words."""
    return machine_words(decision.own_words, decision.values(), annotation.proposed)


def _mixpeek_values(
    upstream: Mapping[str, Any],
    decided: Mapping[str, Any],
    given: Collection[str],
) -> list[MixpeekValue]:
    """Return the fields as Mixpeek has them, without those blank there and not decided."""
    fields = []
    for name in FIELDS:
        if name not in upstream:
            continue
        value = upstream[name]
        differs = not is_same_json(value, decided[name])
        is_blank = is_same_json(value, BLANK_VALUES[name])
        if name == "label" or name in given or differs or not is_blank:
            fields.append(MixpeekValue(name=name, value=format_value(value), differs=differs))
    return fields
