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
    """Return the annotation with `values` set, one version on; itself if nothing changes."""
    prior = {}
    for key, value in values.items():
        if not _same(annotation.get(key), value):
            prior[key] = annotation.get(key)
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


def _same(left: Any, right: Any) -> bool:
    # True == 1 in Python, yet they are different JSON values.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        return all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def at_version(annotation: Json, version: int) -> Json | None:
    """Return the annotation as it stood at `version`, or None when it never had that version."""
    later_edits = [
        revision for revision in annotation["revisions"] if revision["version"] >= version
    ]
    if version == annotation["version"]:
        return annotation
    if not later_edits or later_edits[0]["version"] != version:
        return None
    return _rebuilt(annotation, later_edits)


def as_of(annotation: Json, instant: datetime) -> Json | None:
    """Return the annotation as it stood at `instant`, or None when it did not exist yet."""
    created = annotation.get("created_at")
    if created and parse_instant(created) > instant:
        return None

    later_edits = []
    for revision in annotation["revisions"]:
        if parse_instant(revision["edited_at"]) > instant:
            later_edits.append(revision)
    if not later_edits:
        return annotation
    return _rebuilt(annotation, later_edits)


def _rebuilt(annotation: Json, later_edits: list[Json]) -> Json:
    oldest = later_edits[0]["version"]
    earlier_edits = [
        revision for revision in annotation["revisions"] if revision["version"] < oldest
    ]
    rebuilt = dict(annotation)
    for revision in reversed(later_edits):
        rebuilt.update(revision["prior"])

    last_edit = annotation.get("created_at")
    if earlier_edits:
        last_edit = earlier_edits[-1]["edited_at"]
    return {**rebuilt, "version": oldest, "revisions": earlier_edits, "updated_at": last_edit}


def history(annotation: Json) -> Json:
    """Return the `/versions` body: each version, oldest first, with the edit that made it."""
    current = annotation["version"]
    edits = {revision["version"] + 1: revision for revision in annotation["revisions"]}
    numbers = {revision["version"] for revision in annotation["revisions"]} | {current}
    return {
        "annotation_id": annotation["annotation_id"],
        "current_version": current,
        "versions": [_entry(number, edits.get(number), current) for number in sorted(numbers)],
    }


def _entry(number: int, edit: Json | None, current: int) -> Json:
    entry: Json = {
        "version": number,
        "current": number == current,
        "edited_at": None,
        "edited_by": None,
        "edited_by_type": None,
        "changed_fields": None,
    }
    if edit:
        entry["edited_at"] = edit["edited_at"]
        entry["edited_by"] = edit["edited_by"]
        entry["edited_by_type"] = edit["edited_by_type"]
        entry["changed_fields"] = sorted(edit["prior"])
    return entry
