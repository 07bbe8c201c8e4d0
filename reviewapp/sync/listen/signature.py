"""Verify the signature and the age of a webhook. Pure: the clock is an argument.

`X-Mixpeek-Signature: t=<unix seconds>,v1=<hex>`, where the hex is the HMAC-SHA256 of "<t>." and the
raw body under the webhook's signing secret. While a secret is being rotated there may be several
`v1`; one that matches is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import Enum

# In seconds.
WINDOW = 300
_PART = re.compile(r"\s*(t|v[0-9]+)=([^,]*?)\s*\Z")
_TIMESTAMP = re.compile(r"[0-9]{1,12}\Z")
# More than a rotation needs, and few enough to compare all of them.
_MAX_PARTS = 20


class Verdict(Enum):
    """Whether to accept a delivery."""

    GENUINE = "genuine"
    STALE = "stale"
    FORGED = "forged"


def verify_signature(body: bytes, header: str, *, secret: str, now: float) -> Verdict:
    """Verify a signed body; one more than `WINDOW` before or after `now` is stale."""
    parts: dict[str, list[str]] = {"t": [], "v1": []}
    for part in header.split(",")[:_MAX_PARTS]:
        match = _PART.match(part)
        if match is not None and match[1] in parts:
            parts[match[1]].append(match[2])

    timestamps = parts["t"]
    if not secret or len(timestamps) != 1 or not _TIMESTAMP.match(timestamps[0]):
        return Verdict.FORGED

    expected = sign(body, secret=secret, at=timestamps[0])
    # Compares every signature, so that the time taken reveals nothing.
    results = [equals_in_constant_time(signature, expected) for signature in parts["v1"]]
    if not any(results):
        return Verdict.FORGED
    if abs(now - int(timestamps[0])) > WINDOW:
        return Verdict.STALE
    return Verdict.GENUINE


def sign(body: bytes, *, secret: str, at: str) -> str:
    """Return the hex signature of a body sent at `at` (Unix seconds)."""
    message = at.encode() + b"." + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def equals_in_constant_time(value: str, expected: str) -> bool:
    """Return whether two texts are equal, in constant time."""
    return hmac.compare_digest(value.encode("utf-8", "surrogatepass"), expected.encode())
