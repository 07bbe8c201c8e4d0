"""Opaque cursors that hold numbers."""

from __future__ import annotations

import base64
import json
from typing import Any

from reviewapp.api.errors import Problem


def pack(**values: Any) -> str:
    """Return a cursor that holds `values`."""
    content = json.dumps(values, sort_keys=True)
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def unpack(cursor: str, *names: str) -> list[int]:
    """Return the whole numbers under these names; raises a 400 for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = json.loads(base64.urlsafe_b64decode(padded))
        values = [content[name] for name in names]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _invalid_cursor() from error

    for value in values:
        if type(value) is not int or not 0 <= value < 2**62:
            raise _invalid_cursor()
    return values


def _invalid_cursor() -> Problem:
    return Problem(400, "The cursor is not one that this gateway gave out.")
