"""A web server that receives webhooks: what came is in a queue, what it answers is scripted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread


@dataclass(frozen=True, kw_only=True)
class Received:
    """One delivery as it came."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers with what stands in `answers`, then with 200."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[int] = []
        self.received: Queue[Received] = Queue()

    def next(self) -> Received:
        """Return the next delivery, waiting for it."""
        return self.received.get(timeout=60)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(answer)
            self.end_headers()
            receiver.received.put(Received(headers=dict(self.headers.items()), body=body))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
