"""Edit and resend: a decision that Mixpeek did not take, in the form again, beside what Mixpeek has now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from reviewapp.annotations.decide.forms import as_form, fresh, opening
from reviewapp.annotations.decide.parsing import FIELDS
from reviewapp.annotations.mirror.from_upstream import BLANK
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.value_authorship import PERSONAL_FIELDS, machine_words
from reviewapp.json_values import same
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import in_words
from reviewapp.web.http import whole_number


@dataclass(frozen=True, kw_only=True)
class MixpeekValue:
    """One field as Mixpeek has it now, in words; `differs` from what was decided."""

    name: str
    value: str
    differs: bool


@dataclass(frozen=True, kw_only=True)
class Resending:
    """The change that waits for a person, and the fields as Mixpeek has them now, none where it has no annotation."""

    change: Change
    at_mixpeek: list[MixpeekValue]


def resending(annotation: Annotation, key: str) -> dict[str, Any] | None:
    """Return the form's data and the banner for the change with this key; None unless it waits for a person.

    The form holds what was decided. Its base is the annotation as it is now, so that only what changes after this is
    asked about.
    """
    change = _waiting_change(annotation, key)
    if change is None:
        return None

    decision = None
    if change.cause is not None:
        decision = Decision.objects.filter(decision_id=change.cause).first()

    values = _decided_values(annotation, change, decision)
    given = {name for name in PERSONAL_FIELDS if name in change.fields or not same(values[name], BLANK[name])}
    data = opening(annotation, now=timezone.now()) | fresh(annotation, given) | as_form(values, given)
    banner = Resending(change=change, at_mixpeek=_at_mixpeek(annotation.upstream, values, given))
    return {"data": data, "resending": banner}


def _waiting_change(annotation: Annotation, key: str) -> Change | None:
    pk = whole_number(key)
    if not pk or annotation.status == Annotation.Status.GONE:
        return None
    return Change.objects.attention().filter(ref=annotation.ref, pk=pk).first()


def _decided_values(annotation: Annotation, change: Change, decision: Decision | None) -> dict[str, Any]:
    """Return the four values as they were decided.

    A payload that the decision left as it was is the one of now, so that nobody else's edit is replaced with it.
    """
    values: dict[str, Any] = {
        "label": change.base.get("label", annotation.label),
        "payload": annotation.payload,
        **{name: BLANK[name] for name in PERSONAL_FIELDS},
    }
    if decision is not None:
        values["label"] = decision.label
        values |= _own_words(annotation, decision)

    set_by_change = {name: value for name, value in change.fields.items() if name in FIELDS}
    return values | set_by_change


def _own_words(annotation: Annotation, decision: Decision) -> dict[str, Any]:
    """Return the confidence and reasoning of a decision, without those that repeat the machine."""
    words = [getattr(decision, name) for name in PERSONAL_FIELDS]
    repeated = machine_words(decision.own_words, words, annotation.proposed)
    named = zip(PERSONAL_FIELDS, words, strict=True)
    return {name: value for name, value in named if name not in repeated}


def _at_mixpeek(upstream: Mapping[str, Any], decided: Mapping[str, Any], given: Collection[str]) -> list[MixpeekValue]:
    """Return the fields as Mixpeek has them; those that are blank there and were not decided are left out."""
    fields = []
    for name in FIELDS:
        if name not in upstream:
            continue
        value = upstream[name]
        differs = not same(value, decided[name])
        if name == "label" or name in given or differs or not same(value, BLANK[name]):
            fields.append(MixpeekValue(name=name, value=in_words(value), differs=differs))
    return fields
