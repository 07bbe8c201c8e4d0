"""What a webhook's body or an event of the feed speaks of. Pure, and trusting nothing: their shape is no contract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EVENT_TYPES = ("annotation.created", "annotation.updated", "annotation.deleted")
_MOST_ID, _MOST_TYPE = 200, 100


@dataclass(frozen=True, kw_only=True)
class Mention:
    """One delivery understood: `key` tells it from all others, `annotation_id` is "" when there is nothing to read."""

    key: str
    event_type: str = ""
    annotation_id: str = ""


def read(body: bytes) -> Mention:
    """Return what the body of a webhook speaks of; never raises."""
    key = f"sha256:{hashlib.sha256(body).hexdigest()}"
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return Mention(key=key)
    if not isinstance(said, dict):
        return Mention(key=key)
    event_id, event_type = _plain(said.get("event_id"), _MOST_ID), _plain(said.get("event_type"), _MOST_TYPE)
    return Mention(
        key=f"event:{event_id}" if event_id else key,
        event_type=event_type,
        annotation_id=annotation_of(said) if event_type in EVENT_TYPES else "",
    )


def annotation_of(said: Mapping[str, Any]) -> str:
    """Return the id of the annotation that a body or payload names, "" when it names none."""
    return next(filter(None, (_plain(place, _MOST_ID) for place in _places(said))), "")


def version_of(payload: Mapping[str, Any]) -> int | None:
    """Return the version that a payload of the feed gives beside the annotation's id, None when it gives none."""
    version = payload.get("version")
    plain = isinstance(version, int) and not isinstance(version, bool)
    return version if plain and _plain(payload.get("annotation_id"), _MOST_ID) else None


def _places(said: Mapping[str, Any]) -> Iterator[Any]:
    subject = _inside(said, "subject")
    if subject.get("type", "annotation") == "annotation":
        yield subject.get("id")
    yield subject.get("annotation_id")
    yield _inside(said, "metadata").get("annotation_id")
    yield _inside(said, "payload").get("annotation_id")
    yield said.get("annotation_id")


def _inside(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def _plain(value: Any, most: int) -> str:
    """Return a text that can be stored and asked for, "" for anything else."""
    fine = isinstance(value, str) and len(value) <= most and value.isprintable() and value.strip() == value
    return str(value) if fine else ""
