"""Opaque cursors for pages by number: what a list or a run hands out and takes back."""

from __future__ import annotations

import base64
import json
from typing import Any

from reviewapp.api.errors import Problem


def pack(**values: Any) -> str:
    """Return a cursor that holds `values`."""
    return base64.urlsafe_b64encode(json.dumps(values, sort_keys=True).encode()).decode().rstrip("=")


def unpack(cursor: str, *names: str) -> list[int]:
    """Return the whole numbers that `pack` was given under these names; raises a 400 for anything else."""
    try:
        held = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [held[name] for name in names]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _strange() from error
    if not all(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62 for value in values):
        raise _strange()
    return values


def _strange() -> Problem:
    return Problem(400, "The cursor is not one that this gateway gave out.")
