"""What a reviewer's browser does: keeps cookies, sends forms as they stand, goes to the other address when one is down.

An answer is one of four things, and only an answer to the form itself is believed: nothing at all,
an error of the server's or a page that asks to sign in leave it open whether the form was taken.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import requests

from tools.bench.http_client import form_fields

_PATIENCE = (5, 60)
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_HTMX = {"HX-Request": "true"}
_LOGIN = "/accounts/login/"


class TimeLimitReached(Exception):
    """The drill's limit is reached before there was an answer."""


class BrowserClient:
    """One person's browser with one session; `addresses` lead to the same site, `until` is on the monotonic clock."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        username: str,
        password: str,
        until: float,
    ) -> None:
        self._addresses, self._at = list(addresses), len(username) % len(addresses)
        self._username, self._password, self._until = username, password, until
        self.session = requests.Session()
        self.session.trust_env = False
        # How long each submit waited that was answered.
        self.seconds: list[float] = []

    def sign_in(self) -> None:
        """Sign in through the page, however often it takes."""
        for _ in self._tries():
            page = self._send("GET", _LOGIN)
            if page is not None and page.status_code == 302:
                return
            if page is not None and page.status_code == 200:
                typed = {"login": self._username, "password": self._password}
                answer = self._send("POST", _LOGIN, data=form_fields(page.text, _LOGIN) | typed)
                if answer is not None and answer.status_code == 302:
                    return

    def page(self, path: str) -> requests.Response:
        """Return a page as htmx would get it, asked for until there is one (or a refusal below 500)."""
        for _ in self._tries():
            answer = self._send("GET", path, headers=_HTMX)
            if answer is not None and self._is_signed_in(answer) and answer.status_code < 500:
                return answer
        raise TimeLimitReached(path)

    def submit(self, path: str, data: Mapping[str, str], told: list[str]) -> requests.Response:
        """Send a form until something is said about it; `told` receives what came back each time."""
        for _ in self._tries():
            answer = self.submit_once(path, data, told)
            if answer is not None:
                return answer
        raise TimeLimitReached(path)

    def submit_once(
        self,
        path: str,
        data: Mapping[str, str],
        told: list[str],
    ) -> requests.Response | None:
        """Send a form once; returns None when it stays open whether it was taken."""
        began = time.monotonic()
        answer = self._send("POST", path, data=dict(data), headers=_HTMX)
        if answer is not None:
            self.seconds.append(time.monotonic() - began)
        told.append(str(answer.status_code) if answer is not None else "lost")
        if answer is None or answer.status_code >= 500 or not self._is_signed_in(answer):
            return None
        return answer

    def twin(self) -> BrowserClient:
        """Return a second window of the same browser: the same cookies, connections of its own."""
        made = BrowserClient(
            self._addresses,
            username=self._username,
            password=self._password,
            until=self._until,
        )
        made.session.cookies.update(self.session.cookies)
        made._at = (self._at + 1) % len(self._addresses)
        return made

    def _is_signed_in(self, answer: requests.Response) -> bool:
        if answer.status_code == 401 or _LOGIN in answer.headers.get("Location", ""):
            self.sign_in()
            return False
        return True

    def _send(self, method: str, path: str, **more: Any) -> requests.Response | None:
        """Return the answer, or None and the other address from now on."""
        try:
            url = self._addresses[self._at] + path
            return self.session.request(
                method,
                url,
                allow_redirects=False,
                timeout=_PATIENCE,
                **more,
            )
        except requests.RequestException:
            self._at = (self._at + 1) % len(self._addresses)
            return None

    def _tries(self) -> Iterator[int]:
        """Yield the numbers of tries, pausing in between, at most two seconds; raises `TimeLimitReached`."""
        pause = _SHORTEST_PAUSE
        for number in count(1):
            yield number
            if time.monotonic() > self._until:
                raise TimeLimitReached(self._username)
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
