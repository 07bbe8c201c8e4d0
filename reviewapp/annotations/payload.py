"""Parse a typed payload: a JSON object of bounded size and depth that PostgreSQL can store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from reviewapp.json_values import Path, UnstorableNumber, is_deeper_than, loads
from reviewapp.storable import unstorable_character

MAX_PAYLOAD_BYTES = 64 * 1024
MAX_PAYLOAD_LEVELS = 20


class BadPayload(ValueError):
    """The text is not a valid payload; the message is a sentence for whoever typed it.

    `path` leads to the invalid value, where it is one value.
    """

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.path = path


def read(
    text: str,
    *,
    most_bytes: int = MAX_PAYLOAD_BYTES,
    most_levels: int = MAX_PAYLOAD_LEVELS,
) -> dict[str, Any]:
    """Return the object in `text`; blank is the empty object. Raises `BadPayload`."""
    if not text.strip():
        return {}

    # White space is not kept, so the text may be longer than the payload; but not without limit.
    if len(text) > 8 * most_bytes:
        raise BadPayload(
            _("The payload can have at most %(most)s bytes (this one has %(size)s characters).")
            % {"most": f"{most_bytes:,}", "size": f"{len(text):,}"}
        )
    try:
        value = loads(text, object_pairs_hook=_object_without_duplicates)
    except UnstorableNumber as error:
        raise BadPayload(error.sentence("the payload"), error.path) from error
    except json.JSONDecodeError as error:
        place = {"message": error.msg, "line": error.lineno, "column": error.colno}
        raise BadPayload(
            _("The payload is not valid JSON: %(message)s, line %(line)s, column %(column)s.")
            % place
        ) from error
    except RecursionError as error:
        raise BadPayload(_too_deep(most_levels)) from error

    if not isinstance(value, dict):
        names = {
            list: _("a list"),
            str: _("a text"),
            bool: _("true or false"),
            type(None): _("null"),
        }
        name = names.get(type(value), _("a number"))
        raise BadPayload(
            _("The payload must be a JSON object, such as {}, not %(name)s.") % {"name": name}
        )

    return check_limits(value, most_bytes=most_bytes, most_levels=most_levels)


def check_limits(
    value: dict[str, Any],
    *,
    most_bytes: int = MAX_PAYLOAD_BYTES,
    most_levels: int = MAX_PAYLOAD_LEVELS,
) -> dict[str, Any]:
    """Return a parsed object if it is within the limits. Raises `BadPayload`."""
    if is_deeper_than(value, most_levels):
        raise BadPayload(_too_deep(most_levels))

    character = unstorable_character(value)
    if character == "\0":
        raise BadPayload(_("The payload contains a NUL character (\\u0000). Remove it."))
    if character:
        raise BadPayload(
            _(
                "The payload contains half of a surrogate pair (\\ud800 to \\udfff), which is "
                "not a character. Remove it."
            )
        )

    size = len(json.dumps(value, ensure_ascii=False).encode())
    if size > most_bytes:
        raise BadPayload(
            _("The payload can have at most %(most_bytes)s bytes (this one has %(size)s).")
            % {"most_bytes": f"{most_bytes:,}", "size": f"{size:,}"}
        )
    return value


def write(value: Mapping[str, Any]) -> str:
    """Return `value` as people read and edit it; "" when it is empty."""
    if not value:
        return ""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        ((duplicate, _times),) = counts.most_common(1)
        raise BadPayload(
            _("The payload has the name %(duplicate)s twice in one object. Remove one of them.")
            % {"duplicate": f"{duplicate!r}"}
        )
    return value


def _too_deep(most_levels: int) -> str:
    return _("The payload can be nested at most %(most_levels)s levels deep.") % {
        "most_levels": most_levels
    }
