"""The labels of a set, and the check whether a set is valid. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.naming import is_single_line, same_key, unwritable
from reviewapp.storable import is_storable

# Each is a class of the style sheet (`hue-<name>`); what a person types never becomes a style.
COLOURS = ("none", "red", "orange", "yellow", "green", "teal", "blue", "violet", "pink")
MAX_LABELS = 50
MAX_LABEL_LENGTH = 100
MAX_LENGTHS = {"value": MAX_LABEL_LENGTH, "title": 100, "description": 500}
_TOO_LONG = {
    "value": gettext_lazy("Values can have at most %(most)s characters (this has %(length)s)."),
    "title": gettext_lazy("Titles can have at most %(most)s characters (this has %(length)s)."),
    "description": gettext_lazy(
        "Descriptions can have at most %(most)s characters (this has %(length)s)."
    ),
}


def label_problem(text: str) -> str:
    """Return why nobody may write `text` as a label, "" if they may.

    The label editor, a restored version, the decision form and the API ask this function.
    """
    if not same_key(text):
        return _("Choose a label or write one.")
    if len(text) > MAX_LABEL_LENGTH:
        sentence = _(
            "Labels can have at most %(max_label_length)s characters (this one has %(number)s)."
        )
        return sentence % {"max_label_length": MAX_LABEL_LENGTH, "number": f"{len(text):,}"}
    if not is_single_line(text):
        return _("Labels cannot contain line breaks or control characters. Write it on one line.")
    if not is_storable(text):
        return _("Remove the characters that cannot be stored.")
    return unwritable(text)


@dataclass(frozen=True, kw_only=True)
class Label:
    """One label: the value that Mixpeek gets, and how reviewers see it.

    An empty title means the value itself.
    """

    value: str
    title: str = ""
    description: str = ""
    colour: str = "none"

    @property
    def shown(self) -> str:
        """What stands on the button."""
        return self.title or self.value

    @property
    def problem(self) -> str:
        """Why the label cannot be stored, "" if it can."""
        if not same_key(self.value):
            return _("Enter a value. Mixpeek gets it as the label.")

        for name, max_length in MAX_LENGTHS.items():
            length = len(getattr(self, name))
            if length > max_length:
                return str(_TOO_LONG[name]) % {"most": max_length, "length": length}

        if not is_storable(asdict(self)):
            return _("Remove the characters that cannot be stored.")
        if self.colour not in COLOURS:
            return _("Choose one of the colours.")
        return label_problem(self.value)


def problems(labels: Sequence[Label]) -> dict[int, str]:
    """Return a sentence for each invalid row, by its index; {} if the set is valid."""
    errors: dict[int, str] = {}
    first_index: dict[str, int] = {}
    for index, label in enumerate(labels):
        key = same_key(label.value)
        problem = label.problem
        if problem:
            errors[index] = problem
        elif key in first_index:
            first = labels[first_index[key]]
            values = {"value": first.value, "number": first_index[key] + 1}
            errors[index] = _("“%(value)s” is already label %(number)s.") % values
        first_index.setdefault(key, index)

    if len(labels) > MAX_LABELS:
        errors[MAX_LABELS] = _("Use at most %(most)s labels.") % {"most": MAX_LABELS}
    return errors


def labels_as_json(labels: Sequence[Label]) -> list[dict[str, str]]:
    """Return the labels as a `LabelSet` holds them."""
    return [asdict(label) for label in labels]


def from_json(rows: Sequence[dict[str, str]]) -> list[Label]:
    """Return the labels that a `LabelSet` holds."""
    return [Label(**row) for row in rows]
