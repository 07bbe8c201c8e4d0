"""What PostgreSQL can hold of what Mixpeek says. Pure.

Upstream may hold texts with NUL characters or halves of surrogate pairs, numbers beyond all range and objects nested
without end: none of them may stop a pull or a delivery.
"""

from __future__ import annotations

import re
from typing import Any

from reviewapp.json_values import storable_number

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MOST_LEVELS = 64


def holdable(value: Any, levels: int = 0) -> Any:
    """Return JSON as it can be stored: odd characters replaced, odd numbers as text, None below the 64th level."""
    if isinstance(value, dict | list | tuple) and levels >= _MOST_LEVELS:
        return None
    if isinstance(value, dict):
        return {text(key): holdable(inner, levels + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [holdable(inner, levels + 1) for inner in value]
    return text(value) if isinstance(value, str) else storable_number(value)


def text(value: str, most: int | None = None) -> str:
    """Return a text as it can be stored, its first `most` characters."""
    return _UNSTORABLE.sub("\ufffd", value)[:most]
