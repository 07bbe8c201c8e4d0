"""Convert JSON of Mixpeek to JSON that PostgreSQL can store. Pure.

Upstream records may contain NUL characters, lone surrogates, numbers out of range and deeply nested
objects: none of them may stop a pull or a delivery.
"""

from __future__ import annotations

import re
from typing import Any

from reviewapp.json_values import storable_number

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MAX_DEPTH = 64


def to_storable(value: Any, depth: int = 0) -> Any:
    """Return JSON that can be stored.

    Unstorable characters are replaced, numbers out of range become texts, and values below the 64th
    level become None.
    """
    if isinstance(value, dict | list | tuple) and depth >= _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        storable = {}
        for key, member in value.items():
            storable[to_storable_text(key)] = to_storable(member, depth + 1)
        return storable
    if isinstance(value, list | tuple):
        return [to_storable(member, depth + 1) for member in value]
    if isinstance(value, str):
        return to_storable_text(value)
    return storable_number(value)


def to_storable_text(value: str, max_length: int | None = None) -> str:
    """Return the first `max_length` characters of a text that can be stored."""
    return _UNSTORABLE.sub("\ufffd", value)[:max_length]
