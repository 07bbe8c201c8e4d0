"""What a label set may hold, and the difference between well-formed and not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from reviewapp.storable import is_storable

# Each is a class of the style sheet (`hue-<name>`), seen on both grounds; what a person types never
# becomes a style.
COLOURS = ("none", "red", "orange", "yellow", "green", "teal", "blue", "violet", "pink")
MOST_LABELS = 50
LONGEST = {"value": 100, "title": 100, "description": 500}


@dataclass(frozen=True, kw_only=True)
class Label:
    """One label: the value that Mixpeek gets, and how reviewers see it; an empty title means the
    value itself.
    """

    value: str
    title: str = ""
    description: str = ""
    colour: str = "none"

    @property
    def shown(self) -> str:
        """What stands on the button."""
        return self.title or self.value


def problems(labels: Sequence[Label]) -> dict[int, str]:
    """Return what is wrong with which row (from 0), a sentence each; {} when the set can be kept."""
    found: dict[int, str] = {}
    first: dict[str, int] = {}
    for at, label in enumerate(labels):
        if said := _problem(label):
            found[at] = said
        elif label.value in first:
            found[at] = f"“{label.value}” is already label {first[label.value] + 1}."
        first.setdefault(label.value, at)
    if len(labels) > MOST_LABELS:
        found[MOST_LABELS] = f"A set has {MOST_LABELS} labels at most."
    return found


def labels_as_json(labels: Sequence[Label]) -> list[dict[str, str]]:
    """Return the labels as a `LabelSet` holds them."""
    return [asdict(label) for label in labels]


def from_json(rows: Sequence[dict[str, str]]) -> list[Label]:
    """Return the labels that a `LabelSet` holds."""
    return [Label(**row) for row in rows]


def _problem(label: Label) -> str:
    if not label.value.strip():
        return "A label needs a value, which is what Mixpeek gets."
    for name, longest in LONGEST.items():
        if len(getattr(label, name)) > longest:
            return f"The {name} has {longest} characters at most."
    if not is_storable(asdict(label)):
        return "This holds characters that cannot be stored."
    return "" if label.colour in COLOURS else "That colour is not one of ours."
