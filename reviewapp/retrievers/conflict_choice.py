"""The choice between mine and theirs in a form after a conflict. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MINE = "mine"
THEIRS = "theirs"
# Longer values may need scrolling.
_MAX_SHORT_LENGTH = 100
UNCHOSEN = "Say whose stands: yours or theirs."


@dataclass(frozen=True, kw_only=True)
class Keep:
    """One choice: the base, my value and their value.

    The form lists `key` in its hidden field `asked`, and posts the choice under `name`.
    """

    key: str
    name: str
    legend: str
    base: str
    mine: str
    theirs: str
    chosen: str = ""
    wrong: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether mine or theirs was chosen."""
        return self.chosen in (MINE, THEIRS)

    @property
    def is_long(self) -> bool:
        """Whether a value may need scrolling, at least on a narrow screen."""
        sides = (self.base, self.mine, self.theirs)
        return any(len(side) > _MAX_SHORT_LENGTH or "\n" in side for side in sides)
