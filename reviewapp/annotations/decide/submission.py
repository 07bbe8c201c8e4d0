"""What a person submits, and what each of its fields asserts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any
from uuid import UUID

from reviewapp.annotations.fields import (
    BLANK_VALUES,
    FIELDS,
    PERSONAL_FIELDS,
    SHARED_FIELDS,
    FieldValues,
)
from reviewapp.annotations.models import Decision
from reviewapp.json_values import is_same_json


@dataclass(frozen=True, kw_only=True)
class Submission(FieldValues):
    """What a person submits: the values, the base they saw, the evidence, the time it took.

    `base` is `Annotation.seen()` as it was rendered. `given` names the fields that the person
    gave, also those they left as they were or made blank; None stands for those that differ from
    the base. With `is_whole`, as for a form, the label is always given, and a relabel clears the
    confidence and reasoning that were not given: they belonged to another label.

    `decision_id` is made with the form; the same id sent again is the same decision. For `hold`
    seconds the decision can be taken back and is not sent. `seconds` is how long the person took.
    `draft` is the edition of the draft that this decision ends. `metadata` is for scripts: an
    object, None to clear it, `...` to leave it unchanged.
    """

    decision_id: UUID
    base: dict[str, Any]
    given: frozenset[str] | None = None
    is_whole: bool = False
    base_version: int | None = None
    outcome: Decision.Outcome = Decision.Outcome.DECIDED
    result_id: int | None = None
    seconds: float | None = None
    hold: int = 0
    draft: UUID | None = None
    metadata: dict[str, Any] | EllipsisType | None = ...

    def values(self) -> dict[str, Any]:
        """Return the values the annotation is to hold, with the metadata if it is set.

        A confidence or reasoning that was not given is cleared by a relabel, else unchanged.
        """
        given = self.given_fields()
        cleared = self.cleared_fields()

        values = self.by_name()
        for name in PERSONAL_FIELDS:
            if name in cleared:
                values[name] = BLANK_VALUES[name]
            elif name not in given:
                values[name] = self.base.get(name, BLANK_VALUES[name])

        if self.metadata is not ...:
            values["metadata"] = self.metadata
        return values

    @property
    def is_relabel(self) -> bool:
        """Whether the label differs from the one the person saw."""
        return not is_same_json(self.label, self.base.get("label"))

    @property
    def is_undecidable(self) -> bool:
        """Whether the person cannot tell."""
        return self.outcome == Decision.Outcome.UNDECIDABLE

    def given_fields(self) -> frozenset[str]:
        """Return the names of the fields that the person gave."""
        if self.given is None:
            differing = set()
            for name, value in self.by_name().items():
                if not is_same_json(value, self.base.get(name)):
                    differing.add(name)
            return frozenset(differing)
        if self.is_whole:
            return self.given | {"label"}
        return self.given

    def newly_given(self) -> set[str]:
        """Return the personal fields that the person gave and the form did not start with.

        Such a value is the person's even where it equals the machine's that they saw.
        """
        initial = set(self.base.get("given", ()))
        return set(PERSONAL_FIELDS) & self.given_fields() - initial

    def fields_to_send(self, base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of `values` that differ from `base`, and those that the person gave.

        A given field that stays as it was is the person's now, and was the machine's before. A
        blank that stays blank is not sent, nor is a value that the form started with.
        """
        initial = self.base.get("given", ())
        given = self.given_fields().difference(initial)
        fields = {}
        for name, value in values.items():
            is_changed = not is_same_json(base[name], value)
            is_asserted = name in given and not is_same_json(value, BLANK_VALUES[name])
            if is_changed or is_asserted:
                fields[name] = value
        return fields

    def is_recorded_in(self, decision: Decision) -> bool:
        """Return whether the decision is this submission; False for an old form with new values.

        Two tabs that continue one draft share its decision id. A value that only the earlier submit
        set, or a label, which is always asserted, is then no merge: the later tab differs.
        """
        if decision.outcome != self.outcome:
            return False
        if self.is_undecidable:
            return decision.reasoning == self.reasoning

        for name, words in self.own_words().items():
            if not is_same_json(getattr(decision, name), words):
                return False

        values = self.values()
        for name in SHARED_FIELDS:
            if is_same_json(getattr(decision, name), values[name]):
                continue

            # It may differ only because somebody else's value stayed there: then neither this
            # submission nor the recorded one set the field.
            was_set = decision.change is not None and name in decision.change.fields
            is_set = not is_same_json(getattr(self, name), self.base[name])
            if name == "label" or was_set or is_set:
                return False
        return True

    def merged_fields(self, decision: Decision) -> list[str]:
        """Return the fields that hold somebody else's value because the person left them unchanged.

        A decision holds somebody else's value of a shared field, but the person's own of a personal
        one; the merged ones are on the annotation, as long as this is its standing decision.
        """
        current = {name: getattr(decision, name) for name in SHARED_FIELDS}
        if decision.annotation.decision_id == decision.pk:
            for name in PERSONAL_FIELDS:
                current[name] = getattr(decision.annotation, name)

        submitted = self.values()
        merged = []
        for name in FIELDS:
            if name in current and not is_same_json(current[name], submitted[name]):
                merged.append(name)
        return merged

    def cleared_fields(self) -> list[str]:
        """Return the personal fields that a relabel clears because the person gave none."""
        if not (self.is_whole and self.is_relabel):
            return []
        given = self.given_fields()
        return [name for name in PERSONAL_FIELDS if name not in given]

    def own_words(self) -> dict[str, Any]:
        """Return the personal fields as the person gave them, blank where they gave none."""
        given = self.given_fields()
        values = self.by_name()
        words = {}
        for name in PERSONAL_FIELDS:
            words[name] = values[name] if name in given else BLANK_VALUES[name]
        return words
