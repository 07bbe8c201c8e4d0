"""Check whether Mixpeek answers, at most once every 15 seconds in each process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

from django.conf import settings

from reviewapp.mixpeek.ping import PingResult, ping

_CACHE_SECONDS = 15.0


class CachedPing:
    """Caches the last ping of each address.

    While one thread pings, the others get the previous result; they wait only if there is none.
    """

    def __init__(
        self,
        ping: Callable[[str], PingResult] = ping,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ping = ping
        self._clock = clock
        self._results: dict[str, tuple[float, PingResult]] = {}
        self._lock = Lock()

    def get(self, url: str) -> PingResult:
        """Return the result of a ping of `url`, usually at most 15 seconds old."""
        result = self._get_fresh(url)
        if result is not None:
            return result

        has_old_result = url in self._results
        if not self._lock.acquire(blocking=not has_old_result):
            return self._results[url][1]
        try:
            result = self._get_fresh(url)
            if result is None:
                result = self._ping(url)
                self._results[url] = (self._clock(), result)
            return result
        finally:
            self._lock.release()

    def _get_fresh(self, url: str) -> PingResult | None:
        if url not in self._results:
            return None
        pinged_at, result = self._results[url]
        if self._clock() - pinged_at > _CACHE_SECONDS:
            return None
        return result


_cached_ping = CachedPing()


def ping_mixpeek() -> PingResult:
    """Return the cached result of a ping of the configured Mixpeek."""
    return _cached_ping.get(settings.MIXPEEK_BASE_URL)
