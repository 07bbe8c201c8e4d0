"""Read a body: JSON, bounded in size and depth, nothing in it that PostgreSQL cannot hold."""

from __future__ import annotations

from typing import Any

from reviewapp.annotations.decide import payload
from reviewapp.api.errors import wrong

MOST_BYTES = 1024 * 1024
# A bulk request holds a list of objects, each with a payload of its own depth.
MOST_LEVELS = payload.MOST_LEVELS + 4
_LONGEST_KEY = 100


def body(raw: bytes) -> dict[str, Any]:
    """Return the object in `raw`; nothing is the empty object. Raises a 422 `Problem`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise wrong("body", message=f"The body is not UTF-8: {error.reason}.", kind="json_invalid") from error
    try:
        return payload.read(text, most_bytes=MOST_BYTES, most_levels=MOST_LEVELS)
    except payload.BadPayload as error:
        # What reads a payload speaks of one; here it has read the whole body.
        said = str(error).replace("The payload", "The body").replace("the payload", "the body")
        place = [part[:_LONGEST_KEY] if isinstance(part, str) else part for part in error.path]
        raise wrong("body", *place, message=said, kind="json_invalid") from error


def text(value: str) -> bool:
    """Return whether a text of a path or query can be stored, and so be looked for."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
