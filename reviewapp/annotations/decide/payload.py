"""Read a payload that somebody typed: a JSON object, bounded in size and depth, that PostgreSQL can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reviewapp.json_values import BadNumber, Path, loads

MOST_BYTES = 64 * 1024
MOST_LEVELS = 20


class BadPayload(ValueError):
    """The text is not a payload that can be kept; the message is a sentence for whoever typed it.

    `path` leads to the value that is at fault, where it is one.
    """

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.path = path


def read(text: str, *, most_bytes: int = MOST_BYTES, most_levels: int = MOST_LEVELS) -> dict[str, Any]:
    """Return the object in `text`; blank is the empty object. Raises `BadPayload`."""
    if not text.strip():
        return {}
    value = _parsed(text, most_bytes, most_levels)
    if not isinstance(value, dict):
        raise BadPayload(f"The payload must be a JSON object, such as {{}}, not {_kind(value)}.")
    return bounded(value, most_bytes=most_bytes, most_levels=most_levels)


def bounded(value: dict[str, Any], *, most_bytes: int = MOST_BYTES, most_levels: int = MOST_LEVELS) -> dict[str, Any]:
    """Return `value`, an object that was parsed already, if it can be kept. Raises `BadPayload`."""
    _look_through(value, most_levels)
    size = len(json.dumps(value, ensure_ascii=False).encode())
    if size > most_bytes:
        raise BadPayload(f"The payload holds {size:,} bytes; at most {most_bytes:,} can be kept.")
    return value


def write(value: Mapping[str, Any]) -> str:
    """Return `value` as people read and edit it; "" when there is nothing in it."""
    return json.dumps(value, ensure_ascii=False, indent=2) if value else ""


def _parsed(text: str, most_bytes: int, most_levels: int) -> Any:
    # Spaces between the values are not kept, so the text may be larger than what it says; but not without end.
    if len(text) > 8 * most_bytes:
        raise BadPayload(f"The payload holds {len(text):,} characters; at most {most_bytes:,} bytes can be kept.")
    try:
        return loads(text, object_pairs_hook=_once)
    except BadNumber as error:
        raise BadPayload(error.sentence("the payload"), error.path) from error
    except json.JSONDecodeError as error:
        raise BadPayload(f"The payload is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise BadPayload(_too_deep(most_levels)) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadPayload(f"The payload names {twice!r} twice in one object.")
    return found


def _look_through(payload: dict[str, Any], most_levels: int) -> None:
    """Refuse depth beyond `most_levels` and text PostgreSQL cannot hold; walks level by level, never recursing."""
    level: list[Any] = [payload]
    depth = 0
    while level:
        depth += 1
        if depth > most_levels and any(isinstance(value, dict | list) for value in level):
            raise BadPayload(_too_deep(most_levels))
        for value in level:
            _refuse_unstorable(value)
        level = [inner for value in level for inner in _inside(value)]


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _refuse_unstorable(value: Any) -> None:
    for text in [value] if isinstance(value, str) else value if isinstance(value, dict) else ():
        if "\0" in text:
            raise BadPayload("The payload holds a NUL character (\\u0000), which cannot be kept. Take it out.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadPayload("The payload holds half of a surrogate pair (\\ud800 to \\udfff), which is no character.")


def _too_deep(most_levels: int) -> str:
    return f"The payload is nested deeper than {most_levels} levels."


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
