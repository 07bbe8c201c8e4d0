"""gunicorn's threaded worker, which gives a thread only to a request that has arrived as a whole.

gunicorn's own lets a thread read head and body, for as long as the client likes: as many half-sent
requests as there are threads stop a site. And after an answer it waits up to two seconds, in the
one loop that everything goes through, for the client to close. Here that loop reads without
waiting; what does not arrive in time is closed.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from reviewapp import settings
from reviewapp.operations.server.client_identity import client_of
from reviewapp.operations.server.fair_queue import Client, FairQueue
from reviewapp.operations.server.request_parser import ArrivingRequest

HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0
# For a client to read an answer that is larger than what the system takes at once.
SEND_SECONDS = 20
# The part of the threads that a network may use at once (an office may be one), and a person, script
# or stranger in it. Files and API reads may wait on six of eight threads, files on four: the same
# network, and the same person, must still get a page meanwhile.
NETWORK_SHARE = 7 / 8
CLIENT_SHARE = 5 / 8
MOST_BUFFERED = 64 * 1024 * 1024
_SEND_BUFFER = 1024 * 1024
_LINGER_SECONDS = 2.0
_CHUNK = 64 * 1024


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, with the request that is arriving on it."""

    def __init__(
        self,
        worker: BufferingWorker,
        client_socket: socket.socket,
        address: Any,
        server: Any,
    ) -> None:
        super().__init__(worker.cfg, client_socket, address, server)
        self.worker = worker
        self.request = ArrivingRequest(most_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        self.deadline = 0.0
        # Bytes of the request that a thread has, or that waits for one, and whose it is.
        self.dispatched = 0
        self.sender = Client(network="")

    def close(self, graceful: bool = False) -> None:
        """Close; gracefully means that the worker's loop waits until the client has read
        everything.
        """
        if graceful:
            self.worker.linger(self.sock)
        else:
            super().close()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """Reads requests in its loop, and hands those that are whole to the threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffered = 0
        # The oldest first; a dict, because any of them may leave.
        self._arriving: dict[Connection, None] = {}
        self._lingering: dict[socket.socket, float] = {}
        threads = self.cfg.threads
        self._queue: FairQueue[Connection] = FairQueue(
            thread_count=threads,
            network_limit=max(1, int(threads * NETWORK_SHARE)),
            client_limit=max(1, int(threads * CLIENT_SHARE)),
        )

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection, and close the oldest that waits if there are too many."""
        try:
            client_socket, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return

        _bound_waiting(client_socket)
        connection = Connection(self, client_socket, address, listener.getsockname())
        self.nr_conns += 1
        while self.nr_conns >= self.worker_connections and self._close_oldest():
            pass
        self._await_request(connection)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or not; a stopping worker closes the port, so that no client queues."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Read the next request of a connection that was kept alive."""
        if conn not in self.keepalived_conns:
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn)

    def enqueue_req(self, conn: Connection) -> None:
        """Let a request wait for its turn, and give threads to those whose turn it is."""
        self._queue.add(conn.sender, conn)
        self._start_waiting()

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """Close the connection or keep it, and read the next request if some of it has arrived."""
        self.buffered -= conn.dispatched
        conn.dispatched = 0
        self._queue.finish(conn.sender)
        super().finish_request(conn, fs)
        self._start_waiting()
        if len(conn.request) and conn in self.keepalived_conns:
            self.on_client_socket_readable(conn, conn.sock)

    def murder_pending(self) -> None:
        """Close what did not arrive in time; called again and again by the loop."""
        super().murder_pending()
        now = time.monotonic()
        for connection in list(self._arriving):
            # A worker that stops waits only for requests that have begun.
            if connection.deadline <= now or not (self.alive or len(connection.request)):
                self._refuse(connection, HTTPStatus.REQUEST_TIMEOUT)

        for client, deadline in list(self._lingering.items()):
            if deadline <= now:
                self._end_lingering(client)

    def linger(self, client: socket.socket) -> None:
        """Tell the client that nothing more comes, and close once it has read to the end or two
        seconds have gone.

        To close at once would take back what the client has not read yet (RFC 9112, section 9.6).
        """
        try:
            client.shutdown(socket.SHUT_WR)
            client.setblocking(False)
            self.poller.register(client, selectors.EVENT_READ, self._drain)
        except (OSError, ValueError, KeyError):
            client.close()
            return
        self._lingering[client] = time.monotonic() + _LINGER_SECONDS
        if len(self._lingering) > self.worker_connections:
            self._end_lingering(next(iter(self._lingering)))

    def _start_waiting(self) -> None:
        while (connection := self._queue.start_next()) is not None:
            super().enqueue_req(connection)

    def _await_request(self, connection: Connection) -> None:
        connection.deadline = time.monotonic() + HEAD_SECONDS
        connection.sock.setblocking(False)
        self._arriving[connection] = None
        self.buffered += len(connection.request)
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._read, connection))
        # Mostly it is there already.
        self._read(connection, connection.sock)

    def _read(self, connection: Connection, client: socket.socket) -> None:
        # One that was closed may be among the events of the same moment.
        if connection not in self._arriving:
            return

        request = connection.request
        had_head = request.has_head
        try:
            # What came behind the request before may be a whole one.
            chunk = b"" if request.is_whole else client.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)
            return
        if not chunk and not request.is_whole:
            self._drop(connection)
            return

        self.buffered += len(chunk)
        request.feed(chunk)
        if request.refusal:
            self._refuse(connection, request.refusal)
        elif request.is_whole:
            self._dispatch(connection)
        elif request.has_head and not had_head:
            self._begin_body(connection)
        while self.buffered > MOST_BUFFERED and self._close_oldest(idle=False):
            pass

    def _begin_body(self, connection: Connection) -> None:
        connection.deadline = time.monotonic() + BODY_SECONDS
        if connection.request.expects_continue:
            _send(connection.sock, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _dispatch(self, connection: Connection) -> None:
        self._forget(connection)
        whole = connection.request.take()
        connection.sender = _sender(whole, connection)
        connection.dispatched = len(whole)
        self.buffered += connection.dispatched

        # gunicorn's parser reads what is put back before it asks the socket, which it then need
        # not.
        connection.init()
        connection.parser.unreader.unread(whole)
        connection.data_ready = True
        self.enqueue_req(connection)

    def _refuse(self, connection: Connection, status: HTTPStatus) -> None:
        """Close a connection; whoever has begun a request is told why."""
        self._forget(connection)
        self.nr_conns -= 1
        if len(connection.request):
            text = f"{status.phrase}\n".encode()
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: text/plain\r\n"
            _send(connection.sock, f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text)
        connection.close(graceful=len(connection.request) > 0)

    def _drop(self, connection: Connection) -> None:
        self._forget(connection)
        self.nr_conns -= 1
        connection.close()

    def _forget(self, connection: Connection) -> None:
        self.poller.unregister(connection.sock)
        del self._arriving[connection]
        self.buffered -= len(connection.request)

    def _close_oldest(self, *, idle: bool = True) -> bool:
        """Close the oldest connection; return whether there was one.

        `idle` is whether keep-alive connections count.
        """
        if idle and self.keepalived_conns:
            connection = self.keepalived_conns.popleft()
            self.poller.unregister(connection.sock)
            self.nr_conns -= 1
            connection.close()
            return True
        if self._arriving:
            self._refuse(next(iter(self._arriving)), HTTPStatus.SERVICE_UNAVAILABLE)
            return True
        return False

    def _drain(self, client: socket.socket) -> None:
        if client not in self._lingering:
            return
        try:
            is_over = not client.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            is_over = True
        if is_over:
            self._end_lingering(client)

    def _end_lingering(self, client: socket.socket) -> None:
        del self._lingering[client]
        self.poller.unregister(client)
        client.close()


def _bound_waiting(client: socket.socket) -> None:
    """Let most answers fit into the system's buffer, and no thread wait long for a client that does
    not read.

    Nor for one that does not send, should gunicorn ever want more of a request than we take for the
    whole.
    """
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_SECONDS, 0))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 1, 0))


def _sender(request: bytes, connection: Connection) -> Client:
    address = connection.client[0] if isinstance(connection.client, tuple) else ""
    return client_of(
        request.partition(b"\r\n\r\n")[0],
        address=address,
        session_cookie=settings.SESSION_COOKIE_NAME,
        behind_proxy=getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0) > 0,
    )


def _send(client: socket.socket, data: bytes) -> None:
    """Send a few bytes without waiting; a client that cannot take them goes without."""
    with suppress(OSError):
        client.send(data)
