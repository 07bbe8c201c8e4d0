"""How often a process may end and be started again. Pure: times are in seconds of any clock."""

from __future__ import annotations

from collections import defaultdict

MAX_RESTARTS = 5
WINDOW_SECONDS = 600.0


class Restarts:
    """Counts the restarts of each process by name."""

    def __init__(self) -> None:
        self._times: defaultdict[str, list[float]] = defaultdict(list)

    def allow(self, name: str, now: float) -> bool:
        """Count a restart and return True, unless there were `MAX_RESTARTS` within the window."""
        recent = [at for at in self._times[name] if now - at < WINDOW_SECONDS]
        if len(recent) >= MAX_RESTARTS:
            return False
        self._times[name] = [*recent, now]
        return True
