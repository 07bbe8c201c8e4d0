"""Whether Mixpeek can be reached, asked at most every few seconds by each process, whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

from django.conf import settings

from reviewapp.mixpeek.ping import PingResult, ping

_FRESH_SECONDS = 15.0


class Doorbell:
    """Remembers the last answer of each address for a while.

    While one thread asks, the others get the answer before; only where there is none yet do they wait for it.
    """

    def __init__(self, ask: Callable[[str], PingResult] = ping, clock: Callable[[], float] = monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._kept: dict[str, tuple[float, PingResult]] = {}
        self._asking = Lock()

    def reach(self, url: str) -> PingResult:
        """Return what asking `url` found, mostly not more than 15 seconds ago."""
        at, found = self._kept.get(url, (0.0, None))
        if found is not None and self._clock() - at <= _FRESH_SECONDS:
            return found

        if not self._asking.acquire(blocking=found is None):
            return self._kept[url][1]
        try:
            at, found = self._kept.get(url, (0.0, None))
            if found is None or self._clock() - at > _FRESH_SECONDS:
                found = self._ask(url)
                self._kept[url] = self._clock(), found
            return found
        finally:
            self._asking.release()


_doorbell = Doorbell()


def reach() -> PingResult:
    """Return whether the configured Mixpeek answers."""
    return _doorbell.reach(settings.MIXPEEK_BASE_URL)
