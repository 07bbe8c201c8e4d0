"""The choice between mine and theirs in a form that comes back after a conflict. Pure.

For each field in conflict the form posts `keep_<field>`, and names the field in `asked`, so that a
missing choice is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

MINE = "mine"
THEIRS = "theirs"
UNCHOSEN = gettext_lazy("Choose yours or theirs.")
# Longer values may need scrolling.
_MAX_SHORT_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class ConflictChoice:
    """One field as base, mine and theirs, as `_conflict_choice.html` shows it.

    `chosen` is the choice already made between these very values, "" for none: nothing is chosen
    beforehand. `is_missing`: the form came back without a choice. Without `is_conflict` only the
    other side changed the field, so there is nothing to choose.
    """

    field: str
    legend: str
    base: str
    mine: str
    theirs: str
    chosen: str = ""
    is_missing: bool = False
    is_conflict: bool = True
    theirs_caption: str = ""

    @property
    def name(self) -> str:
        """The name under which the form posts the choice."""
        return f"keep_{self.field}"

    @property
    def error(self) -> str:
        """The error message, "" if there is none."""
        return str(UNCHOSEN) if self.is_missing else ""

    @property
    def is_long(self) -> bool:
        """Whether a value may need scrolling, at least on a narrow screen."""
        sides = (self.base, self.mine, self.theirs)
        return any(len(side) > _MAX_SHORT_LENGTH or "\n" in side for side in sides)


def takes_theirs(data: Mapping[str, Any], field: str) -> bool:
    """Return whether the form's writer chose to take the other side's value of `field`."""
    return bool(data.get(f"keep_{field}") == THEIRS)


def fields_without_choice(data: Mapping[str, Any], fields: Iterable[str]) -> tuple[str, ...]:
    """Return those of `fields` for which nobody has chosen whose value to keep."""
    unchosen = []
    for field in fields:
        if data.get(f"keep_{field}") not in {MINE, THEIRS}:
            unchosen.append(field)
    return tuple(unchosen)
