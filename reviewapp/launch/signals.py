"""Wait for signals and sockets at once, without polling and without exceptions out of nowhere."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reviewapp.launch.exceptions import Interrupted

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """What arrived since we last looked; made by `watched()`."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def wait(self, timeout: float, *sockets: int) -> bool:
        """Sleep until a child ends, a socket can be read or `timeout` seconds are over.

        Returns whether a socket can be read. Raises `Interrupted` when we were asked to stop.
        """
        ready, _, _ = select.select([self._pipe, *sockets], [], [], timeout)
        arrived = os.read(self._pipe, 4096) if self._pipe in ready else b""
        if any(number in arrived for number in _STOP):
            raise Interrupted
        return any(socket in ready for socket in sockets)


@contextmanager
def watched() -> Iterator[Signals]:
    """Turn SIGINT, SIGTERM, SIGHUP and SIGCHLD into something to wait for, and the first three into nothing more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {number: signal.signal(number, _only_wake_up) for number in (*_STOP, signal.SIGCHLD)}
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield Signals(reading)
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _only_wake_up(_number: int, _frame: FrameType | None) -> None:
    """Exist, so that the signal reaches the wake-up pipe."""
