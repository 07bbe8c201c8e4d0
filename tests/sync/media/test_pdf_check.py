"""A hostile file host, slow or redirecting.

It holds no web thread for longer than a page may take, and leads the server nowhere else.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from pytest_django import Settings

from reviewapp.sync.media import pdf_check
from reviewapp.sync.media.file_start import UnreadableFile

_HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 900\r\n\r\n"


class SlowHost:
    """A host that sends `at_once` and then a byte of `slowly` every tenth of a second."""

    def __init__(self, at_once: bytes, slowly: bytes) -> None:
        self._at_once = at_once
        self._slowly = slowly
        self._stopped = Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/a.pdf"
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(self._at_once)
            for number in self._slowly:
                if self._stopped.wait(0.1):
                    break
                connection.sendall(bytes([number]))


@pytest.fixture(
    params=[(_HEADERS, b"%PDF-1.7" * 12), (b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 90)],
    ids=["body", "headers"],
)
def host(request: pytest.FixtureRequest) -> Iterator[SlowHost]:
    slow = SlowHost(*request.param)
    yield slow
    slow.close()


def test_it_gives_a_host_up_that_sends_byte_by_byte(host: SlowHost, settings: Settings) -> None:
    settings.MIXPEEK_PAGE_TIMEOUT = 1
    began = time.monotonic()

    with pytest.raises(UnreadableFile):
        pdf_check.is_pdf(host.url)

    assert time.monotonic() - began < 5


class LeadingAway(BaseHTTPRequestHandler):
    """Redirects `/<status>/<target>` to the target, and serves a PDF at `/secret`."""

    requested: list[str] = []

    def do_GET(self) -> None:
        self.requested.append(self.path)
        if self.path == "/secret":
            self.send_response(200)
            self.send_header("Content-Type", "application/pdf")
            self.end_headers()
            self.wfile.write(b"%PDF-1.7")
            return

        _, status, target = self.path.split("/", 2)
        self.send_response(int(status))
        self.send_header("Location", target)
        self.send_header("Refresh", f"0; url={target}")
        self.send_header("Content-Type", "application/pdf")
        self.end_headers()
        self.wfile.write(b"%PDF-1.7")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def leading_away() -> Iterator[str]:
    """The address of a host that redirects."""
    LeadingAway.requested.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), LeadingAway) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    [
        "{host}/secret",
        "/secret",
        "http://[::1]:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:1/",
    ],
)
def test_it_follows_no_redirect(leading_away: str, status: int, target: str) -> None:
    place = target.format(host=leading_away)

    with pytest.raises(UnreadableFile, match=f"its host answered {status}"):
        pdf_check.is_pdf(f"{leading_away}/{status}/{place}")

    assert len(LeadingAway.requested) == 1
