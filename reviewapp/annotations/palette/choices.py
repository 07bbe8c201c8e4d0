"""What the command palette offers: a page, an item, a retriever or a person, with its URL."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class ChoiceKind(StrEnum):
    """What a choice leads to, as the script of the palette knows it."""

    PAGE = "page"
    ITEM = "item"
    RETRIEVER = "retriever"
    PERSON = "person"


@dataclass(frozen=True, kw_only=True)
class PaletteChoice:
    """One choice; `detail` tells it apart from others with the same title."""

    kind: ChoiceKind
    title: str
    url: str
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the choice as the script reads it."""
        return asdict(self)
