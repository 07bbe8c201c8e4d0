"""Limit the time of a whole response; requests limits only each read.

A server may send a byte before each read times out, in headers, interim responses, chunk sizes and
trailers, which http.client reads without looking at the clock. So another thread shuts the
connection down, which ends the read.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from math import inf
from threading import Condition, Thread, local
from time import monotonic
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_current = local()


class Deadline:
    """A context in which the connection that this thread uses is shut down after `seconds`.

    The time starts when the first connection is established, and goes on where a redirect needs
    another. `has_passed` tells whether it was up.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._connection: socket.socket | None = None
        self.ends_at = inf
        self.has_passed = False

    def __enter__(self) -> Self:
        _current.deadline = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _current.deadline = None
        _watcher.remove(self)

    def watch(self, connection: socket.socket) -> None:
        """Watch a connection; start the time if it is the first."""
        _watcher.remove(self)
        self._connection = connection
        if self.ends_at == inf:
            self.ends_at = monotonic() + self._seconds
        _watcher.add(self)

    def shut_down(self) -> None:
        """Shut the connection down, since the time is up."""
        self.has_passed = True
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)


class _Watcher:
    """One thread that shuts down whatever is open at its deadline.

    A `threading.Timer` would be a thread for each request.
    """

    def __init__(self) -> None:
        # Held while a connection is shut down, so that none is shut down that is back in its pool.
        self._changed = Condition()
        self._deadlines: set[Deadline] = set()
        self._thread: Thread | None = None
        # When the thread looks again.
        self._looks_at = inf

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                # A child process has the deadlines of its parent, but not the thread.
                self._deadlines.clear()
                self._thread = Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            self._deadlines.add(deadline)
            if deadline.ends_at < self._looks_at:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        with self._changed:
            self._deadlines.discard(deadline)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = monotonic()
                for deadline in list(self._deadlines):
                    if deadline.ends_at <= now:
                        self._deadlines.remove(deadline)
                        deadline.shut_down()

                ends = [deadline.ends_at for deadline in self._deadlines]
                self._looks_at = min(ends, default=inf)
                timeout = None
                if self._looks_at < inf:
                    timeout = self._looks_at - now
                self._changed.wait(timeout)


_watcher = _Watcher()


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter, whose connections obey the `Deadline` of the thread that uses them."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools, one class for each scheme."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Create the pools behind a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _watch(connection: HTTPConnection) -> None:
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None:
        return

    if connection.sock is None:
        connection.connect()
    deadline.watch(connection.sock)


class _Connection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)
        super().request(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch(self)
        super().request(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}
