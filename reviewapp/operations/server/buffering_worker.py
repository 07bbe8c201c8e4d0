"""gunicorn's threaded worker, changed to give threads only requests that have arrived completely.

In gunicorn's own worker a thread reads head and body, for as long as the client takes: as many
half-sent requests as there are threads stop a site. And after a response, its one loop waits up to
two seconds for the client to close. This worker's loop reads without waiting, and closes
connections whose request does not arrive in time.
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

from django.template.loader import render_to_string
from gunicorn.workers.gthread import TConn, ThreadWorker

from reviewapp import settings
from reviewapp.operations.server.addresses import without_mapping
from reviewapp.operations.server.client_identity import client_of
from reviewapp.operations.server.fair_queue import ClientIdentity, FairQueue
from reviewapp.operations.server.request_parser import ArrivingRequest
from reviewapp.operations.server.thread_pool import WarmestFirst

HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0
# For a client to read a response that is larger than the system's buffer.
SEND_SECONDS = 20
# The part of the threads that a network (such as an office) may use at once, and a client in it.
# Files and API reads may wait on six of eight threads, files on four: meanwhile the same network,
# and the same person, must still get a page.
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
        # The size of the request that is with a thread or waits for one, and its client.
        self.dispatched = 0
        self.sender = ClientIdentity(network="")

    def close(self, graceful: bool = False) -> None:
        """Close; if `graceful`, the worker's loop first lets the client read everything."""
        if graceful:
            self.worker.linger(self.sock)
        else:
            super().close()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """Reads requests in its loop, and passes complete ones to the threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffered = 0
        # The oldest first; a dict, because any of them may be removed.
        self._arriving: dict[Connection, None] = {}
        self._lingering: dict[socket.socket, float] = {}
        threads = self.cfg.threads
        self._queue: FairQueue[Connection] = FairQueue(
            thread_count=threads,
            network_limit=max(1, int(threads * NETWORK_SHARE)),
            client_limit=max(1, int(threads * CLIENT_SHARE)),
        )

    def get_thread_pool(self) -> WarmestFirst:
        """Return the threads that answer requests."""
        return WarmestFirst(self.cfg.threads)

    def accept(self, listener: socket.socket) -> None:
        """Accept a new connection; if there are too many, close the oldest."""
        try:
            client_socket, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if isinstance(address, tuple):
            address = (without_mapping(address[0]), *address[1:])

        # Limit how long a thread waits for a client; most responses fit into the system's buffer.
        # A thread reads from a socket only if gunicorn wants more bytes than the complete request
        # has.
        send_timeout = struct.pack("@ll", SEND_SECONDS, 0)
        client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, send_timeout)
        client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 1, 0))

        connection = Connection(self, client_socket, address, listener.getsockname())
        self.nr_conns += 1
        while self.nr_conns >= self.worker_connections and self._close_oldest():
            pass
        self._await_request(connection)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or not; a stopping worker closes the port, so that none queue."""
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
        """Queue a request, and start the requests that may start."""
        self._queue.add(conn.sender, conn)
        self._start_queued()

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """Close the connection or keep it, and read the next request if some of it has arrived."""
        self.buffered -= conn.dispatched
        conn.dispatched = 0
        self._queue.finish(conn.sender)
        super().finish_request(conn, fs)
        self._start_queued()
        if len(conn.request) and conn in self.keepalived_conns:
            self.on_client_socket_readable(conn, conn.sock)

    def murder_pending(self) -> None:
        """Close the connections whose time is up; gunicorn's loop calls this again and again."""
        super().murder_pending()
        now = time.monotonic()
        for connection in list(self._arriving):
            # A worker that stops waits only for requests that have begun.
            is_unwanted = not self.alive and len(connection.request) == 0
            if is_unwanted or connection.deadline <= now:
                self._refuse(connection, HTTPStatus.REQUEST_TIMEOUT)

        for client, deadline in list(self._lingering.items()):
            if deadline <= now:
                self._end_lingering(client)

    def linger(self, client: socket.socket) -> None:
        """Stop sending, and close when the client has closed or after two seconds.

        Closing at once would discard what the client has not read yet (RFC 9112, section 9.6).
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

    def _start_queued(self) -> None:
        connection = self._queue.start_next()
        while connection is not None:
            super().enqueue_req(connection)
            connection = self._queue.start_next()

    def _await_request(self, connection: Connection) -> None:
        connection.deadline = time.monotonic() + HEAD_SECONDS
        connection.sock.setblocking(False)
        self._arriving[connection] = None
        self.buffered += len(connection.request)
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._read, connection))
        # The request has usually arrived already.
        self._read(connection, connection.sock)

    def _read(self, connection: Connection, client: socket.socket) -> None:
        # It may have been closed while its event was waiting.
        if connection not in self._arriving:
            return

        request = connection.request
        had_head = request.has_head
        # A complete request may have arrived together with the previous one.
        if not request.is_whole:
            try:
                chunk = client.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                chunk = b""
            if not chunk:
                self._forget(connection)
                self.nr_conns -= 1
                connection.close()
                return
            self.buffered += len(chunk)
            request.feed(chunk)

        if request.refusal:
            self._refuse(connection, request.refusal)
        elif request.is_whole:
            self._dispatch(connection)
        elif request.has_head and not had_head:
            connection.deadline = time.monotonic() + BODY_SECONDS
            if request.expects_continue:
                _send(connection.sock, b"HTTP/1.1 100 Continue\r\n\r\n")
        while self.buffered > MOST_BUFFERED and self._close_oldest(idle=False):
            pass

    def _dispatch(self, connection: Connection) -> None:
        self._forget(connection)
        request = connection.request.take()
        address = ""
        if isinstance(connection.client, tuple):
            address = connection.client[0]
        connection.sender = client_of(
            request.partition(b"\r\n\r\n")[0],
            address=address,
            session_cookie=settings.SESSION_COOKIE_NAME,
            behind_proxy=getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0) > 0,
        )
        connection.dispatched = len(request)
        self.buffered += connection.dispatched

        # gunicorn's parser reads these bytes first, so it need not read from the socket.
        connection.init()
        connection.parser.unreader.unread(request)
        connection.data_ready = True
        self.enqueue_req(connection)

    def _refuse(self, connection: Connection, status: HTTPStatus) -> None:
        """Close a connection, with a response if its request has begun."""
        self._forget(connection)
        self.nr_conns -= 1
        has_begun = len(connection.request) > 0
        if has_begun:
            body = f"{status.phrase}\n"
            content_type = "text/plain"
            if status == HTTPStatus.REQUEST_URI_TOO_LONG:
                # Shorter ones get this page from the app.
                body = render_to_string("414.html")
                content_type = "text/html; charset=utf-8"
            content = body.encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\n"
                "Connection: close\r\n"
                f"Content-Type: {content_type}\r\n"
                f"Content-Length: {len(content)}\r\n\r\n"
            )
            _send(connection.sock, head.encode() + content)
        connection.close(graceful=has_begun)

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
            chunk = client.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._end_lingering(client)

    def _end_lingering(self, client: socket.socket) -> None:
        del self._lingering[client]
        self.poller.unregister(client)
        client.close()


def _send(client: socket.socket, data: bytes) -> None:
    """Send a few bytes without waiting; ignore errors."""
    with suppress(OSError):
        client.send(data)
