"""Parse a request body: JSON, limited in size and depth, that PostgreSQL can store."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from reviewapp.annotations import payload
from reviewapp.api.errors import invalid_value

MAX_BODY_BYTES = 1024 * 1024
# A bulk request is a list of objects, each with a payload of its own depth.
MAX_BODY_DEPTH = payload.MAX_PAYLOAD_LEVELS + 4
_MAX_KEY_LENGTH = 100


def parse_body(raw: bytes) -> dict[str, Any]:
    """Return the object in `raw`; an empty body is an empty object. Raises a 422 `Problem`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        message = _("The body is not UTF-8: %(reason)s.") % {"reason": error.reason}
        raise invalid_value("body", message=message, kind="json_invalid") from error

    try:
        return payload.read(text, most_bytes=MAX_BODY_BYTES, most_levels=MAX_BODY_DEPTH)
    except payload.BadPayload as error:
        # The messages are about a payload; here the whole body was parsed.
        message = str(error).replace("The payload", "The body").replace("the payload", "the body")
        location: list[str | int] = []
        for part in error.path:
            location.append(part[:_MAX_KEY_LENGTH] if isinstance(part, str) else part)
        raise invalid_value("body", *location, message=message, kind="json_invalid") from error
