"""Versions of an annotation: backward deltas, and any earlier state rebuilt from them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.sandbox.rules.validation import Json, parse_instant


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Who edits, and when (ISO 8601)."""

    actor_id: str
    actor_type: str
    at: str


def edited(annotation: Json, values: Mapping[str, Any], edit: Edit) -> Json:
    """Return the annotation with `values` set, one version on; the very same object when nothing changes."""
    prior = {key: annotation.get(key) for key, value in values.items() if not _same(annotation.get(key), value)}
    if not prior:
        return annotation
    revision = {
        "version": annotation["version"],
        "prior": prior,
        "edited_at": edit.at,
        "edited_by": edit.actor_id,
        "edited_by_type": edit.actor_type,
    }
    return {
        **annotation,
        **{key: values[key] for key in prior},
        "updated_at": edit.at,
        "version": annotation["version"] + 1,
        "revisions": [*annotation["revisions"], revision],
    }


def _same(one: Any, other: Any) -> bool:
    # True == 1 in Python, yet they are different JSON values.
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def at_version(annotation: Json, version: int) -> Json | None:
    """Return the annotation as it stood at `version`, or None when it never had that version."""
    undone = [each for each in annotation["revisions"] if each["version"] >= version]
    if version == annotation["version"]:
        return annotation
    if not undone or undone[0]["version"] != version:
        return None
    return _rebuilt(annotation, undone)


def as_of(annotation: Json, instant: datetime) -> Json | None:
    """Return the annotation as it stood at `instant`, or None when it did not exist yet."""
    created = annotation.get("created_at")
    if created and parse_instant(created) > instant:
        return None
    undone = [each for each in annotation["revisions"] if parse_instant(each["edited_at"]) > instant]
    return _rebuilt(annotation, undone) if undone else annotation


def _rebuilt(annotation: Json, undone: list[Json]) -> Json:
    oldest = undone[0]["version"]
    kept = [each for each in annotation["revisions"] if each["version"] < oldest]
    rebuilt = dict(annotation)
    for revision in reversed(undone):
        rebuilt.update(revision["prior"])
    last_edit = kept[-1]["edited_at"] if kept else annotation.get("created_at")
    return {**rebuilt, "version": oldest, "revisions": kept, "updated_at": last_edit}


def history(annotation: Json) -> Json:
    """Return the `/versions` reply: every version, oldest first, each with the edit that made it."""
    edits = {each["version"] + 1: each for each in annotation["revisions"]}
    numbers = sorted(
        {*(each["version"] for each in annotation["revisions"]), annotation["version"]},
    )
    return {
        "annotation_id": annotation["annotation_id"],
        "current_version": annotation["version"],
        "versions": [_entry(number, edits.get(number), annotation["version"]) for number in numbers],
    }


def _entry(number: int, edit: Json | None, current: int) -> Json:
    return {
        "version": number,
        "current": number == current,
        "edited_at": edit["edited_at"] if edit else None,
        "edited_by": edit["edited_by"] if edit else None,
        "edited_by_type": edit["edited_by_type"] if edit else None,
        "changed_fields": sorted(edit["prior"]) if edit else None,
    }
