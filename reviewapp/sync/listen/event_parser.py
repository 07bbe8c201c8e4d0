"""Parse webhook bodies and feed events. Pure, and tolerant of any form: theirs is no contract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENT_TYPES = ("annotation.created", "annotation.updated", "annotation.deleted")
_MAX_ID_LENGTH = 200
_MAX_TYPE_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """A parsed delivery: a unique `key`, and the annotation to read again, or ""."""

    key: str
    event_type: str = ""
    annotation_id: str = ""


def parse_webhook_body(body: bytes) -> WebhookEvent:
    """Parse the body of a webhook; never raises."""
    key = f"sha256:{hashlib.sha256(body).hexdigest()}"
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return WebhookEvent(key=key)
    if not isinstance(event, dict):
        return WebhookEvent(key=key)

    event_id = _plain_text(event.get("event_id"), _MAX_ID_LENGTH)
    event_type = _plain_text(event.get("event_type"), _MAX_TYPE_LENGTH)
    if event_id:
        key = f"event:{event_id}"
    annotation_id = ""
    if event_type in EVENT_TYPES:
        annotation_id = annotation_of(event)
    return WebhookEvent(key=key, event_type=event_type, annotation_id=annotation_id)


def annotation_of(event: Mapping[str, Any]) -> str:
    """Return the id of the annotation that an event or payload names, "" if it names none."""
    subject = _object_at(event, "subject")
    candidates = [
        subject.get("annotation_id"),
        _object_at(event, "metadata").get("annotation_id"),
        _object_at(event, "payload").get("annotation_id"),
        event.get("annotation_id"),
    ]
    if subject.get("type", "annotation") == "annotation":
        candidates.insert(0, subject.get("id"))

    for candidate in candidates:
        annotation_id = _plain_text(candidate, _MAX_ID_LENGTH)
        if annotation_id:
            return annotation_id
    return ""


def version_of(payload: Mapping[str, Any]) -> int | None:
    """Return the version that a feed payload gives beside the annotation's id; None without."""
    version = payload.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        return None
    if not _plain_text(payload.get("annotation_id"), _MAX_ID_LENGTH):
        return None
    return version


def _object_at(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = event.get(key)
    if isinstance(value, dict):
        return value
    return {}


def _plain_text(value: Any, max_length: int) -> str:
    """Return a text that can be stored and sent in a URL, "" for anything else."""
    if not isinstance(value, str) or len(value) > max_length:
        return ""
    if not value.isprintable() or value.strip() != value:
        return ""
    return value
