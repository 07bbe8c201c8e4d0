"""Read a page's text with white space collapsed, as browsers show it."""

from __future__ import annotations

from typing import Any


def collapsed(response: Any) -> str:
    """Return a response's text with each run of white space as one space."""
    return " ".join(response.content.decode().split())
