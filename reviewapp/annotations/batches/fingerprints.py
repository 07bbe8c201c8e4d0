"""What a person was shown of an item, as a short text that tells whether it is still so. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from reviewapp.annotations.models import Annotation

_ENTRY = re.compile(r"([1-9][0-9]{0,17}):([0-9]{1,19}-[0-9a-f]{32})")


class DamagedEntries(ValueError):
    """A text is not one of `write_entries`."""


def fingerprint(annotation: Annotation) -> str:
    """Return what stands for an item as it is now: its decision's key and a digest of the rest.

    The digest is of the values, and of the result with the title and the text that a row shows.
    """
    parts = [
        annotation.values(),
        annotation.status,
        annotation.result_id,
        annotation.title,
        annotation.excerpt,
    ]
    text = json.dumps(parts, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"{annotation.decision_id or 0}-{digest}"


def is_other_decision(one: str, other: str) -> bool:
    """Return whether two of these texts are about an item with different decisions."""
    return one.partition("-")[0] != other.partition("-")[0]


def write_entries(shown_by_key: Mapping[int, str]) -> str:
    """Return what was shown of items, by their keys, as one text for a form."""
    return " ".join(f"{key}:{entry}" for key, entry in shown_by_key.items())


def read_entries(text: str) -> Mapping[int, str]:
    """Return what was shown by key, in its order; raises `DamagedEntries`."""
    entries = {}
    for part in text.split():
        match = _ENTRY.fullmatch(part)
        if match is None:
            raise DamagedEntries(part)
        entries[int(match[1])] = match[2]
    return entries
