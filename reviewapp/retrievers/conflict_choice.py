"""What a form asks after somebody was faster: mine or theirs, with nothing chosen beforehand. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MINE, THEIRS = "mine", "theirs"
_LONG = 100
UNCHOSEN = "Say whose stands: yours or theirs."


@dataclass(frozen=True, kw_only=True)
class Keep:
    """One question as it is shown: what it was, how I have it and how they made it.

    The form says that it asks (`asked` holds `key`), and which of both was chosen under `name`.
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
        """Whether one of both was chosen."""
        return self.chosen in (MINE, THEIRS)

    @property
    def is_long(self) -> bool:
        """Whether a side may have to be scrolled, on a narrow screen at least."""
        return any(len(side) > _LONG or "\n" in side for side in (self.base, self.mine, self.theirs))
