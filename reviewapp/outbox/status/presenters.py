"""How a change is said on a page: its progress in words, and its values side by side. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.json_values import same

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
class Tags:
    """The tags of a change, each by itself since a tag may hold a comma: as seen, what comes, what goes, and theirs."""

    seen: tuple[str, ...]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    theirs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One field of a change, in words: as the person saw it, as they set it, and as upstream has it.

    Where a change adds and removes `tags`, pages show these.
    """

    name: str
    base: str
    mine: str
    theirs: str
    differs: bool
    error: str = ""
    tags: Tags | None = None


def in_words(value: Any) -> str:
    """Return a JSON value as a person reads it: nothing is "—", text is itself, the rest is indented JSON."""
    if value is None or value in ("", {}, []):
        return "—"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _tags(value: Any, *, seen: Any, theirs: Any) -> Tags | None:
    """Return which tags a change adds and removes; None for a value that is no such sets."""
    if not isinstance(value, Mapping):
        return None
    return Tags(
        seen=tuple(seen or ()),
        add=tuple(value.get("add", ())),
        remove=tuple(value.get("remove", ())),
        theirs=tuple(theirs or ()),
    )


def _tags_in_words(tags: Tags) -> str:
    return ", ".join([*(f"+ {tag}" for tag in tags.add), *(f"\u2212 {tag}" for tag in tags.remove)])


def sentence(reason: str) -> str:
    """Return a reason so that another sentence may follow it; Mixpeek's own end in all sorts of ways."""
    told = reason.strip()
    return told if not told or told[-1] in ".!?\u2026" else f"{told}."


def sides(
    *, fields: Mapping[str, Any], base: Mapping[str, Any], theirs: Mapping[str, Any], errors: Mapping[str, str]
) -> list[Side]:
    """Return the fields of a change, those it sets first, then those that upstream has differently."""
    moved = [name for name in theirs if name not in fields and not same(theirs[name], base.get(name))]
    return [
        _side(name, fields=fields, base=base, theirs=theirs, error=errors.get(name, "")) for name in [*fields, *moved]
    ]


def _side(
    name: str, *, fields: Mapping[str, Any], base: Mapping[str, Any], theirs: Mapping[str, Any], error: str
) -> Side:
    was, now = base.get(name), theirs.get(name)
    tags = _tags(fields.get(name), seen=was, theirs=now) if name == "tags" else None
    return Side(
        name=name,
        base=in_words(was),
        mine=_tags_in_words(tags) if tags else in_words(fields.get(name, was)),
        theirs=in_words(now),
        differs=name in fields and name in theirs and name != "tags" and not same(now, fields[name]),
        error=error,
        tags=tags,
    )
