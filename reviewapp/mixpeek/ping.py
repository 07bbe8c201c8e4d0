"""Whether a Mixpeek is there at all: one HEAD without our key, over in seconds, for health checks."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import requests

from reviewapp.mixpeek.transport import on_loopback

_TIMEOUT = (2, 2)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a knock found: the HTTP status (None when nobody answered) and how long it took."""

    status: int | None
    seconds: float

    @property
    def is_there(self) -> bool:
        """Whether something answered that is not in trouble itself; 401 or 404 is an answer too."""
        return self.status is not None and self.status < 500


def knock(base_url: str) -> Reach:
    """Ask `base_url` for nothing, without our key; raises nothing that the network can cause."""
    began = monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = not on_loopback(base_url)
            with session.head(base_url, timeout=_TIMEOUT, allow_redirects=False) as response:
                status = response.status_code
    except requests.RequestException:
        return Reach(status=None, seconds=monotonic() - began)
    return Reach(status=status, seconds=monotonic() - began)
