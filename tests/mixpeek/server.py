"""A real HTTP server on loopback that answers what a test scripts and keeps what it received."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(kw_only=True)
class Answer:
    """What to send back; `raw` replaces all of it.

    `hold` then keeps the client waiting until the server is stopped, `drip` sends it these bytes
    again and again.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hold: bool = False
    drip: bytes = b""

    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, kw_only=True)
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: Any


class FakeMixpeek:
    """Give it answers in order, the last repeated; one may be a function of the request."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.answer: Callable[[Received], Answer] = lambda _request: self._next()
        self.received: list[Received] = []
        self.has_received = threading.Event()
        self.connections = 0
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def will(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self) -> Answer:
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], handler: type[_Handler], fake: FakeMixpeek
    ) -> None:
        self.fake = fake
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.server.fake.connections += 1
        super().setup()

    def _serve(self) -> None:
        fake = self.server.fake
        length = int(self.headers.get("content-length", "0"))
        sent = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(
            method=self.command,
            target=self.path,
            headers=headers,
            body=json.loads(sent) if sent else None,
        )
        fake.received.append(request)
        fake.has_received.set()
        with suppress(ConnectionError):
            self._send(fake.answer(request), fake)

    def _send(self, answer: Answer, fake: FakeMixpeek) -> None:
        if answer.raw is not None:
            self.close_connection = True
            self.wfile.write(answer.raw)
        else:
            payload = answer.payload()
            self.send_response(answer.status)
            for name, value in (
                {"content-type": "application/json"} | dict(answer.headers)
            ).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        while answer.drip and not fake.stopping.wait(0.02):
            self.wfile.write(answer.drip)
        if answer.hold:
            self.wfile.flush()
            fake.stopping.wait()

    do_GET = do_POST = do_PATCH = do_PUT = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""
