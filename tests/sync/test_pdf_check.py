"""A host that serves files slowly holds no web thread for longer than a page may take."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread

import pytest
from pytest_django import Settings

from reviewapp.sync import pdf_check

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

    with pytest.raises(pdf_check.UnreadableFile):
        pdf_check.is_pdf(host.url)

    assert time.monotonic() - began < 5
