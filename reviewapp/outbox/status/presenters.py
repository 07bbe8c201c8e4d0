"""Present a change on a page: the chip's class and icon, and its values side by side. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.json_values import is_same_json

# By state: the chip's CSS class, and its icon, so that a state is not shown by colour alone.
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
class Tags:
    """The tags of a change: those the person saw, those added and removed, and upstream's.

    Tags stay separate values, since a tag may hold a comma.
    """

    seen: tuple[str, ...]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    theirs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FieldComparison:
    """One field of a change as text: base, mine and theirs.

    Where a change adds and removes `tags`, pages show these instead.
    """

    name: str
    base: str
    mine: str
    theirs: str
    differs: bool
    error: str = ""
    tags: Tags | None = None


@dataclass(frozen=True, kw_only=True)
class ValueChange:
    """One value before and after an action, as text."""

    name: str
    old: str
    new: str


def format_value(value: Any) -> str:
    """Return a JSON value as text: "—" for no value, text as it is, the rest as indented JSON."""
    if value is None or value in ("", {}, []):
        return "—"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def end_sentence(reason: str) -> str:
    """Return a reason with a full stop, unless it already ends like a sentence."""
    text = reason.strip()
    if not text or text[-1] in ".!?\u2026":
        return text
    return f"{text}."


def compare_fields(
    *,
    fields: Mapping[str, Any],
    base: Mapping[str, Any],
    theirs: Mapping[str, Any],
    errors: Mapping[str, str],
) -> list[FieldComparison]:
    """Return the fields of a change: first those it sets, then others that upstream changed."""
    names = list(fields)
    for name, their_value in theirs.items():
        if name not in fields and not is_same_json(their_value, base.get(name)):
            names.append(name)

    compared = []
    for name in names:
        error = errors.get(name, "")
        side = _side(name, fields=fields, base=base, theirs=theirs, error=error)
        compared.append(side)
    return compared


def _side(
    name: str,
    *,
    fields: Mapping[str, Any],
    base: Mapping[str, Any],
    theirs: Mapping[str, Any],
    error: str,
) -> FieldComparison:
    base_value = base.get(name)
    their_value = theirs.get(name)

    mine = format_value(fields.get(name, base_value))
    tags = None
    delta = fields.get(name)
    if name == "tags" and isinstance(delta, Mapping):
        tags = Tags(
            seen=tuple(base_value or ()),
            add=tuple(delta.get("add", ())),
            remove=tuple(delta.get("remove", ())),
            theirs=tuple(their_value or ()),
        )
        added = [f"+ {tag}" for tag in tags.add]
        removed = [f"\u2212 {tag}" for tag in tags.remove]
        mine = ", ".join([*added, *removed])

    differs = False
    if name in fields and name in theirs and name != "tags":
        differs = not is_same_json(their_value, fields[name])

    return FieldComparison(
        name=name,
        base=format_value(base_value),
        mine=mine,
        theirs=format_value(their_value),
        differs=differs,
        error=error,
        tags=tags,
    )
