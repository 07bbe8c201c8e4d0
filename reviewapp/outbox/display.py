"""How a change is said on a page: its progress in words, and its values side by side. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# By state: the chip's class in the style sheet, and its icon, so that a state is never colour alone.
TONES = {
    "queued": "tone-info",
    "delivered": "tone-ok",
    "conflict": "tone-bad",
    "refused": "tone-bad",
    "withdrawn": "tone-quiet",
}
ICONS = {
    "queued": "hourglass-split",
    "delivered": "check-circle",
    "conflict": "exclamation-diamond",
    "refused": "x-octagon",
    "withdrawn": "arrow-counterclockwise",
}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One field of a change, in words: as the person saw it, as they set it, and as upstream has it."""

    name: str
    base: str
    mine: str
    theirs: str
    differs: bool
    error: str = ""


def in_words(value: Any) -> str:
    """Return a JSON value as a person reads it: nothing is "—", text is itself, the rest is indented JSON."""
    if value is None or value in ("", {}, []):
        return "—"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _tags_in_words(value: Any) -> Any:
    """Return which tags a change adds and removes; they are never set as a list."""
    if not isinstance(value, Mapping):
        return value
    signs = (("+", "add"), ("\u2212", "remove"))
    return ", ".join(f"{sign} {tag}" for sign, side in signs for tag in value.get(side, ()))


def sentence(reason: str) -> str:
    """Return a reason so that another sentence may follow it; Mixpeek's own end in all sorts of ways."""
    told = reason.strip()
    return told if not told or told[-1] in ".!?\u2026" else f"{told}."


def sides(
    *, fields: Mapping[str, Any], base: Mapping[str, Any], theirs: Mapping[str, Any], errors: Mapping[str, str]
) -> list[Side]:
    """Return the fields of a change, those it sets first, then those that upstream has differently."""
    fields = {name: _tags_in_words(value) if name == "tags" else value for name, value in fields.items()}
    moved = [name for name in theirs if name not in fields and theirs[name] != base.get(name)]
    return [
        Side(
            name=name,
            base=in_words(base.get(name)),
            mine=in_words(fields.get(name, base.get(name))),
            theirs=in_words(theirs.get(name)),
            differs=name in fields and name in theirs and name != "tags" and theirs[name] != fields[name],
            error=errors.get(name, ""),
        )
        for name in [*fields, *moved]
    ]
