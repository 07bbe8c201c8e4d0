"""Check whether Mixpeek answers: one HEAD without our API key, for health checks."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import requests

from reviewapp.mixpeek.transport import on_loopback

_TIMEOUT = (2, 2)  # seconds to connect, seconds to read


@dataclass(frozen=True, kw_only=True)
class PingResult:
    """The HTTP status, None if there was no answer, and the seconds it took."""

    status: int | None
    seconds: float

    @property
    def is_up(self) -> bool:
        """Whether the server answered with a status below 500; 401 or 404 counts too."""
        return self.status is not None and self.status < 500


def ping(base_url: str) -> PingResult:
    """Send HEAD to `base_url` without our key; never raises for a failure of the network."""
    started = monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = not on_loopback(base_url)
            response = session.head(base_url, timeout=_TIMEOUT, allow_redirects=False)
            with response:
                status: int | None = response.status_code
    except requests.RequestException:
        status = None
    return PingResult(status=status, seconds=monotonic() - started)
