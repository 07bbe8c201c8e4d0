"""Compute what an authenticator app shows: https://datatracker.ietf.org/doc/html/rfc6238."""

from __future__ import annotations

import base64
import hmac
import time


def code(secret: str, *, later: int = 0) -> str:
    """Return the six digits of this half minute, or of one so many half minutes later."""
    counter = (int(time.time()) // 30 + later).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
