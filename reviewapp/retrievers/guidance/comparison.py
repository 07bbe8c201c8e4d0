"""Compare two versions of a label set or of guidelines, value by value, as text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from reviewapp.retrievers.guidance.form_settings import SETTINGS, TITLES
from reviewapp.retrievers.guidance.label_set_content import LabelSetContent
from reviewapp.retrievers.guidance.labels import Label


@dataclass(frozen=True, kw_only=True)
class ComparedValue:
    """One value on both sides, as text; None where a side does not have it."""

    name: str
    old: str | None
    new: str | None

    @property
    def differs(self) -> bool:
        """Whether the sides differ."""
        return self.old != self.new


def compare_texts(old: str, new: str) -> list[ComparedValue]:
    """Return the only value that guidelines have: their text."""
    return [ComparedValue(name=_("text"), old=old, new=new)]


def compare_label_sets(old: LabelSetContent, new: LabelSetContent) -> list[ComparedValue]:
    """Return the labels of both sides, their order if it differs, and the settings."""
    old_labels = {label.value: label for label in old.labels}
    new_labels = {label.value: label for label in new.labels}

    values = []
    for value in dict.fromkeys([*old_labels, *new_labels]):
        label = ComparedValue(
            name=f"“{value}”",
            old=_label_text(old_labels.get(value)),
            new=_label_text(new_labels.get(value)),
        )
        values.append(label)

    old_order = [value for value in old_labels if value in new_labels]
    new_order = [value for value in new_labels if value in old_labels]
    order = ComparedValue(name=_("order"), old=", ".join(old_order), new=", ".join(new_order))
    if order.differs:
        values.append(order)

    other_labels = ComparedValue(
        name=_("other labels"),
        old=_permission_text(old.other_allowed),
        new=_permission_text(new.other_allowed),
    )
    values.append(other_labels)

    old_settings = old.settings.values()
    new_settings = new.settings.values()
    for name in SETTINGS:
        setting = ComparedValue(
            name=str(TITLES[name]).lower(),
            old=str(old_settings[name].label),
            new=str(new_settings[name].label),
        )
        values.append(setting)
    return values


def as_changes(values: Sequence[ComparedValue]) -> dict[str, list[str | None]]:
    """Return the values that differ as an event holds changes: `{name: [old, new]}`."""
    return {value.name: [value.old, value.new] for value in values if value.differs}


def _label_text(label: Label | None) -> str | None:
    if label is None:
        return None
    colour = "" if label.colour == "none" else label.colour
    parts = [label.value, label.title, label.description, colour]
    return " · ".join(filter(None, parts))


def _permission_text(is_allowed: bool) -> str:
    if is_allowed:
        return _("allowed")
    return _("not allowed")
