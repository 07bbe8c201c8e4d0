"""A reviewer's browser: keeps cookies, sends forms, changes the address when one is down.

A response is one of four things, and only a response to the form itself is believed: nothing at
all, an error of the server's or a page that asks to sign in leave it open whether the form was
taken.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import requests

from tools.bench.http_client import form_fields

_PATIENCE = (5, 60)
_MIN_PAUSE = 0.1
_MAX_PAUSE = 2.0
_HTMX = {"HX-Request": "true"}
_LOGIN = "/accounts/login/"


class TimeLimitReached(Exception):
    """The drill's limit is reached before there was a response."""


class BrowserClient:
    """One person's browser with one session.

    `addresses` lead to the same site; `until` is on the monotonic clock.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        username: str,
        password: str,
        until: float,
    ) -> None:
        self._addresses = list(addresses)
        self._address_index = len(username) % len(addresses)
        self._username = username
        self._password = password
        self._until = until
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
                response = self._send("POST", _LOGIN, data=form_fields(page.text, _LOGIN) | typed)
                if response is not None and response.status_code == 302:
                    return

    def page(self, path: str) -> requests.Response:
        """Return a page as htmx would get it, asked for until there is one (or a refusal below
        500).
        """
        for _ in self._tries():
            response = self._send("GET", path, headers=_HTMX)
            if response is not None and self._is_signed_in(response) and response.status_code < 500:
                return response
        raise TimeLimitReached(path)

    def submit(self, path: str, data: Mapping[str, str], statuses: list[str]) -> requests.Response:
        """Send a form until something is said about it; `statuses` receives what came back each
        time.
        """
        for _ in self._tries():
            response = self.submit_once(path, data, statuses)
            if response is not None:
                return response
        raise TimeLimitReached(path)

    def submit_once(
        self,
        path: str,
        data: Mapping[str, str],
        statuses: list[str],
    ) -> requests.Response | None:
        """Send a form once; returns None when it stays open whether it was taken."""
        started = time.monotonic()
        response = self._send("POST", path, data=dict(data), headers=_HTMX)
        if response is not None:
            self.seconds.append(time.monotonic() - started)
        statuses.append("lost" if response is None else str(response.status_code))
        if response is None or response.status_code >= 500 or not self._is_signed_in(response):
            return None
        return response

    def twin(self) -> BrowserClient:
        """Return a second window of the same browser: the same cookies, connections of its own."""
        window = BrowserClient(
            self._addresses,
            username=self._username,
            password=self._password,
            until=self._until,
        )
        window.session.cookies.update(self.session.cookies)
        window._address_index = (self._address_index + 1) % len(self._addresses)
        return window

    def _is_signed_in(self, response: requests.Response) -> bool:
        if response.status_code == 401 or _LOGIN in response.headers.get("Location", ""):
            self.sign_in()
            return False
        return True

    def _send(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """Return the response, or None and the other address from now on."""
        try:
            url = self._addresses[self._address_index] + path
            return self.session.request(
                method,
                url,
                allow_redirects=False,
                timeout=_PATIENCE,
                **options,
            )
        except requests.RequestException:
            self._address_index = (self._address_index + 1) % len(self._addresses)
            return None

    def _tries(self) -> Iterator[int]:
        """Yield the numbers of tries, pausing in between, at most two seconds; raises
        `TimeLimitReached`.
        """
        pause = _MIN_PAUSE
        for number in count(1):
            yield number
            if time.monotonic() > self._until:
                raise TimeLimitReached(self._username)
            time.sleep(pause)
            pause = min(pause * 2, _MAX_PAUSE)
