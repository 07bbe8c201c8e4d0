"""The form of the guidelines: the text, the version it began from, and whose stands when somebody was faster. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict

from reviewapp.retrievers.conflict_choice import Keep
from reviewapp.web.http import whole_number


@dataclass(frozen=True, kw_only=True)
class GuidelinesForm:
    """What stands in the form; `base_version` is the version it was rendered over.

    After somebody was faster, `was_version` is the version that its writer began from, and `chosen` whose text stands.
    """

    text: str
    base_version: int
    was_version: int | None = None
    chosen: str = ""

    def caught_up(self, version: int) -> GuidelinesForm:
        """Return it over the newer version, asking anew."""
        return replace(self, base_version=version, was_version=self.base_version, chosen="")

    def keep(self, *, base: str, theirs: str) -> Keep | None:
        """Return what is to be asked; None when nobody was faster, or when theirs was typed by now."""
        if self.was_version is None or self.text == theirs:
            return None
        sides = {"base": base, "mine": self.text, "theirs": theirs}
        return Keep(key="text", name="keep_text", legend="Whose text stands?", chosen=self.chosen, **sides)


def over(text: str, *, version: int) -> GuidelinesForm:
    """Return an untouched form."""
    return GuidelinesForm(text=text, base_version=version)


def read(data: QueryDict) -> GuidelinesForm:
    """Return what was sent; lines end as everywhere here."""
    return GuidelinesForm(
        text=data.get("text", "").replace("\r\n", "\n"),
        base_version=whole_number(data.get("base_version", "")) or 0,
        was_version=whole_number(data.get("was_base", "")),
        chosen=data.get("keep_text", ""),
    )
