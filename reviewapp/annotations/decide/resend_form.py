"""Edit and resend: the form with a decision that Mixpeek did not take, beside Mixpeek's values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from reviewapp.annotations.decide.forms import as_form_data, initial_data, new_decision_data
from reviewapp.annotations.fields import BLANK_VALUES, FIELDS, PERSONAL_FIELDS
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.value_authorship import machine_words
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import format_value
from reviewapp.web.http import parse_whole_number


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
        values |= _own_words(annotation, decision)

    set_by_change = {name: value for name, value in change.fields.items() if name in FIELDS}
    return values | set_by_change


def _own_words(annotation: Annotation, decision: Decision) -> dict[str, Any]:
    """Return the personal fields of a decision, without those that repeat the machine."""
    words = {name: getattr(decision, name) for name in PERSONAL_FIELDS}
    repeated = machine_words(decision.own_words, list(words.values()), annotation.proposed)
    return {name: value for name, value in words.items() if name not in repeated}


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
