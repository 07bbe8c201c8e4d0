"""Wait for signals and sockets at once, without polling and without exceptions out of nowhere."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from tools.launch.exceptions import Interrupted

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Wait for signals that arrive through a pipe; made by `watched()`."""

    def __init__(self, pipe: int, terminals: Iterable[int]) -> None:
        self._pipe = pipe
        self._terminals = tuple(terminals)

    def wait(self, timeout: float, *sockets: int) -> bool:
        """Sleep until a child ends, a socket can be read or `timeout` seconds are over.

        Returns whether a socket can be read. Raises `Interrupted` when we were asked to stop, or
        when the terminal is gone: its SIGHUP goes to the session's leader, which may be a `make`
        that keeps it to itself.
        """
        poll = select.poll()
        for readable in (self._pipe, *sockets):
            poll.register(readable, select.POLLIN)
        for terminal in self._terminals:
            poll.register(terminal, 0)

        ready = dict(poll.poll(timeout * 1000)).keys()
        arrived: set[int] = set()
        if self._pipe in ready:
            arrived.update(os.read(self._pipe, 4096))

        is_stopped = not arrived.isdisjoint(_STOP)
        is_terminal_gone = not ready.isdisjoint(self._terminals)
        if is_stopped or is_terminal_gone:
            raise Interrupted
        return not ready.isdisjoint(sockets)


@contextmanager
def watched() -> Iterator[Signals]:
    """Turn SIGCHLD and the stop signals into something to wait for; they do nothing else then.

    SIGHUP stays ignored when it already is: that is how `nohup` asks us to outlive the terminal.
    """
    outlive = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    handled = {*_STOP, signal.SIGCHLD}
    terminals: list[int] = []
    if outlive:
        handled.remove(signal.SIGHUP)
    else:
        terminals = [number for number in (0, 1, 2) if os.isatty(number)]

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {number: signal.signal(number, _only_wake_up) for number in handled}
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield Signals(reading, terminals)
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _only_wake_up(_number: int, _frame: FrameType | None) -> None:
    """Exist, so that the signal reaches the wake-up pipe."""
