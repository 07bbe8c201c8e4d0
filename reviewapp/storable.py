"""What PostgreSQL can store: texts without NUL and surrogates, bounded JSON. Pure.

Upstream records may hold NUL characters, lone surrogates, numbers out of range and deeply nested
objects: none of them may stop a pull or a delivery. What people type is refused instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

# Digits that Python parses by default, and that every part of the project stores and sends.
MAX_INTEGER_DIGITS = 1_000
TOO_LARGE_INTEGER = "a number too large to keep"
_FIRST_TOO_LARGE = 10**MAX_INTEGER_DIGITS
_MAX_DEPTH = 64
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def unstorable_character(value: Any) -> str:
    """Return a character that cannot be stored, "" if there is none.

    `value` is a text, or JSON, of which all texts and names are searched at any depth.
    """
    remaining = [value]
    while remaining:
        current = remaining.pop()
        if isinstance(current, str):
            match = _UNSTORABLE.search(current)
            if match:
                return match[0]
        elif isinstance(current, dict):
            remaining.extend(current.keys())
            remaining.extend(current.values())
        elif isinstance(current, list | tuple):
            remaining.extend(current)
    return ""


def is_storable(value: Any) -> bool:
    """Return whether the characters of a text, or of JSON, can be stored and searched for."""
    return not unstorable_character(value)


def storable_text(text: str, max_length: int | None = None) -> str:
    """Return the first `max_length` characters, those that cannot be stored as U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)[:max_length]


def storable_number(value: Any) -> Any:
    """Return a number that the database and the client can store; a text if it is out of range."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= _FIRST_TOO_LARGE:
        return TOO_LARGE_INTEGER
    return value


def storable_json(
    value: Any,
    *,
    max_depth: float = _MAX_DEPTH,
    clean_text: Callable[[str], str] = storable_text,
) -> Any:
    """Return JSON that can be stored; objects and lists below level `max_depth` become None.

    `clean_text` is applied to every text and name.
    """
    if isinstance(value, str):
        return clean_text(value)
    if not isinstance(value, dict | list | tuple):
        return storable_number(value)
    if max_depth <= 0:
        return None

    if isinstance(value, dict):
        copy = {}
        for name, member in value.items():
            copy[clean_text(name)] = storable_json(
                member, max_depth=max_depth - 1, clean_text=clean_text
            )
        return copy
    return [storable_json(item, max_depth=max_depth - 1, clean_text=clean_text) for item in value]
