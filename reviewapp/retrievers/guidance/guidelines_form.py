"""The form of the guidelines: the text, and the version that it was opened on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict

from reviewapp.web.http import parse_whole_number


@dataclass(frozen=True, kw_only=True)
class GuidelinesForm:
    """What the form holds.

    `base_version` is the version that its user has seen and that saving replaces (0: none). After
    somebody else has saved a newer one, `is_conflict` keeps that version beside the form.
    """

    text: str
    base_version: int
    is_conflict: bool = False

    def on_newer_version(self, version: int) -> GuidelinesForm:
        """Return the form as it was typed, to be saved on top of a newer version."""
        return replace(self, base_version=version, is_conflict=True)


def read_guidelines_form(data: QueryDict) -> GuidelinesForm:
    """Return the form that was submitted, its lines ending in LF."""
    return GuidelinesForm(
        text=data.get("text", "").replace("\r\n", "\n"),
        base_version=parse_whole_number(data.get("base_version", "")) or 0,
        is_conflict=bool(data.get("is_conflict")),
    )
