"""Was this webhook sent by Mixpeek, and just now? Pure: the clock is an argument.

`X-Mixpeek-Signature: t=<unix seconds>,v1=<hex>`, the hex being the HMAC-SHA256 of "<t>." and the raw body under the
webhook's signing secret. While a secret is being changed there may be several `v1`; one that fits is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import Enum

WINDOW = 300
_PART = re.compile(r"\s*(t|v[0-9]+)=([^,]*?)\s*\Z")
_STAMP = re.compile(r"[0-9]{1,12}\Z")
# More than anybody needs to change a secret, and few enough to compare all of them.
_MOST_PARTS = 20


class Verdict(Enum):
    """Whether to believe a delivery."""

    GENUINE = "genuine"
    STALE = "stale"
    FORGED = "forged"


def judge(body: bytes, header: str, *, secret: str, now: float) -> Verdict:
    """Judge a signed body. Stale is what is signed rightly and more than five minutes off, before or after `now`."""
    parts = [match.groups() for part in header.split(",")[:_MOST_PARTS] if (match := _PART.match(part))]
    stamps = [value for name, value in parts if name == "t"]
    if not secret or len(stamps) != 1 or not _STAMP.match(stamps[0]):
        return Verdict.FORGED
    due = sign(body, secret=secret, at=stamps[0])
    # Every one is compared, so that the time taken tells nothing.
    fits = [matches(value, due) for name, value in parts if name == "v1"]
    if not any(fits):
        return Verdict.FORGED
    return Verdict.GENUINE if abs(now - int(stamps[0])) <= WINDOW else Verdict.STALE


def sign(body: bytes, *, secret: str, at: str) -> str:
    """Return the hex that belongs to a body and the seconds it was sent at."""
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def matches(given: str, due: str) -> bool:
    """Return whether two texts are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), due.encode())
