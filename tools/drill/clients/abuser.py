"""`python -m tools.drill.clients.abuser FILE`: an abusive client that runs until it is stopped.

It is a visitor, a signed-in person and a script with a token at once. It sends no decisions, so the
checks of decisions are not affected. Every second it writes the statuses of its responses to
`answers`.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from tools.bench.http_client import form_fields

PERSON = "abuser"
_LOGIN = "/accounts/login/"
_PATIENCE_SECONDS = 30
_HALF_SENT_CONNECTIONS = 40
# To a web server, this is another machine than that of the reviewers.
_ADDRESS = "127.0.0.2"
_BODY_BYTES = 900_000
_FILE_BYTES = 5_000_000
_IDS_PER_BULK = 1_000


@dataclass(frozen=True, kw_only=True)
class AbuserOptions:
    """The options of the abusive client; `items` are primary keys of real annotations."""

    web: list[str]
    password: str
    token: str
    items: list[int]
    answers: str

    def write(self, file: Path) -> None:
        """Write the options to the file that `main` reads."""
        file.write_text(json.dumps(asdict(self)))


class Abuser:
    """The attacks of the abusive client; most send one request and return its response."""

    def __init__(self, options: AbuserOptions) -> None:
        self._options = options
        self._random = random.Random(1)  # noqa: S311 - no secret
        self._items = cycle(options.items)
        self._person = _session()
        self._script = _session()
        self._script.headers["Authorization"] = f"Bearer {options.token}"
        # By attack and status, how many responses there were.
        self.answers: Counter[str] = Counter()

    def sign_in(self) -> None:
        """Sign in as a reviewer, through the page."""
        page = self._person.get(self._web + _LOGIN, timeout=_PATIENCE_SECONDS)
        data = form_fields(page.text, _LOGIN)
        data["login"] = PERSON
        data["password"] = self._options.password
        response = self._person.post(self._web + _LOGIN, data=data, timeout=_PATIENCE_SECONDS)
        response.raise_for_status()

    @property
    def _web(self) -> str:
        return self._random.choice(self._options.web)

    def attacks(self) -> dict[str, tuple[Callable[[], requests.Response], int]]:
        """Return the attacks by name, each with the number of threads that repeat it."""
        return {
            "wrong password": (self._guess_password, 16),
            "large form of a stranger": (self._post_large_form, 2),
            "file of a stranger": (self._upload_file, 2),
            "bulk of unknown ids": (self._send_bulk, 16),
            "picture of a made-up document": (self._ask_for_picture, 8),
            "lease": (self._open_item, 2),
            "search for many words": (self._search, 2),
            "annotation that is not there": (self._ask_for_annotation, 2),
        }

    def repeat(self, name: str, attack: Callable[[], requests.Response]) -> None:
        """Repeat an attack for ever, and count its responses by status."""
        while True:
            try:
                status = str(attack().status_code)
            except requests.RequestException:
                status = "none"
            self.answers[f"{name}: {status}"] += 1

    def keep_half_sent(self) -> None:
        """Hold connections open with requests that never end; replace those that are closed."""
        connections: list[socket.socket] = []
        while True:
            missing = _HALF_SENT_CONNECTIONS - len(connections)
            with suppress(OSError):
                for _ in range(missing):
                    connections.append(self._open_half_sent())
            time.sleep(1)
            connections = [connection for connection in connections if self._send_byte(connection)]

    def _open_half_sent(self) -> socket.socket:
        parts = urlsplit(self._web)
        address = (parts.hostname or "", parts.port or 80)
        connection = socket.create_connection(address, timeout=1, source_address=(_ADDRESS, 0))
        head = f"POST {_LOGIN} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Slow: "
        connection.sendall(head.encode())
        return connection

    def _send_byte(self, connection: socket.socket) -> bool:
        """Send one more byte; return False if the server has closed the connection."""
        try:
            connection.sendall(b"x")
        except OSError:
            connection.close()
            self.answers["half-sent request: closed"] += 1
            return False
        return True

    def _guess_password(self) -> requests.Response:
        with _session() as stranger:
            page = stranger.get(self._web + _LOGIN, timeout=_PATIENCE_SECONDS)
            if page.status_code != 200:
                return page
            data = form_fields(page.text, _LOGIN)
            data["login"] = f"nobody{self._random.random()}"
            data["password"] = "a wrong one"  # noqa: S105 - nobody's
            return stranger.post(self._web + _LOGIN, data=data, timeout=_PATIENCE_SECONDS)

    def _post_large_form(self) -> requests.Response:
        path = f"/annotations/{next(self._items)}/decide"
        with _session() as stranger:
            form = {"reasoning": "x" * _BODY_BYTES}
            url = self._web + path
            return stranger.post(url, data=form, allow_redirects=False, timeout=_PATIENCE_SECONDS)

    def _upload_file(self) -> requests.Response:
        with _session() as stranger:
            files = {"file": ("large.bin", b"x" * _FILE_BYTES)}
            return stranger.post(self._web + _LOGIN, files=files, timeout=_PATIENCE_SECONDS)

    def _send_bulk(self) -> requests.Response:
        first = self._random.randrange(10**9)
        ids = [f"ann_made_up_{number}" for number in range(first, first + _IDS_PER_BULK)]
        body = {"update": [{"annotation_id": annotation_id, "label": "x"} for annotation_id in ids]}
        url = f"{self._web}/api/v1/annotations/bulk"
        return self._script.post(url, json=body, timeout=_PATIENCE_SECONDS)

    def _ask_for_picture(self) -> requests.Response:
        return self._get_page(f"/documents/doc_made_up_{self._random.randrange(10**9)}/media/0")

    def _open_item(self) -> requests.Response:
        return self._get_page(f"/annotations/{next(self._items)}")

    def _search(self) -> requests.Response:
        words = " ".join(f"word{self._random.randrange(1000)}" for _ in range(20))
        return self._get_page(f"/annotations?q={words[:200]}")

    def _get_page(self, path: str) -> requests.Response:
        return self._person.get(self._web + path, allow_redirects=False, timeout=_PATIENCE_SECONDS)

    def _ask_for_annotation(self) -> requests.Response:
        annotation_id = f"ann_made_up_{self._random.randrange(10**9)}"
        url = f"{self._web}/api/v1/annotations/{annotation_id}/versions/1"
        return self._script.get(url, timeout=_PATIENCE_SECONDS)


def main(arguments: Sequence[str]) -> int:
    """Attack until the process is stopped."""
    # A real attacker has a machine of its own: this process must not slow down the servers.
    os.nice(19)
    options = AbuserOptions(**json.loads(Path(arguments[0]).read_text()))
    abuser = Abuser(options)
    abuser.sign_in()
    for name, (attack, threads) in abuser.attacks().items():
        for _ in range(threads):
            Thread(target=abuser.repeat, args=(name, attack), daemon=True).start()
    Thread(target=abuser.keep_half_sent, daemon=True).start()

    while True:
        time.sleep(1)
        answers = dict(sorted(abuser.answers.items()))
        Path(options.answers).write_text(json.dumps(answers, indent=1))


class _FromAddress(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(_ADDRESS, 0), **kwargs)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", _FromAddress())
    return session


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
