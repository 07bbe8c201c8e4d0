"""What a page says, with white space as browsers collapse it: where a template ends its lines is
nobody's promise.
"""

from __future__ import annotations

from typing import Any


def collapsed(response: Any) -> str:
    """Return a response's text with each run of white space as one space."""
    return " ".join(response.content.decode().split())
