"""Limit the time of a whole response; requests limits only each read.

A server may send a byte before each read times out, in headers, interim responses, chunk sizes and
trailers, which http.client reads without looking at the clock. So a timer shuts the connection
down, which ends the read.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Timer, local
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_current = local()


class Deadline:
    """A context in which the connection that this thread uses is shut down after `seconds`.

    The time starts when the connection is established. `has_passed` tells whether it was up.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: Timer | None = None
        # Held while a connection is shut down, so that none is shut down that is back in its pool.
        self._lock = Lock()
        self._is_over = False
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

        with self._lock:
            self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        """Start the timer for a connection."""
        if self._timer is not None:
            self._timer.cancel()

        self._timer = Timer(self._seconds, self._shut_down, [connection])
        self._timer.daemon = True
        self._timer.start()

    def _shut_down(self, connection: socket.socket) -> None:
        with self._lock:
            if self._is_over:
                return
            self.has_passed = True

            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


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
