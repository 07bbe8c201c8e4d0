"""A reviewer's browser: it keeps cookies, sends forms, and uses another address if one is down.

Only a response to the form itself proves anything. After no response, an error of the server, or a
redirect to the sign-in page, the form may or may not have been accepted.
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
        # How long each submit took that got a response.
        self.seconds: list[float] = []

    def sign_in(self) -> None:
        """Sign in through the page; try until it succeeds."""
        for _ in self._tries():
            if self._try_to_sign_in():
                return

    def _try_to_sign_in(self) -> bool:
        page = self._send("GET", _LOGIN)
        if page is None:
            return False
        if page.status_code == 302:
            # Signed in already.
            return True
        if page.status_code != 200:
            return False

        data = form_fields(page.text, _LOGIN)
        data["login"] = self._username
        data["password"] = self._password
        response = self._send("POST", _LOGIN, data=data)
        return response is not None and response.status_code == 302

    def page(self, path: str) -> requests.Response:
        """Return a page as htmx would get it; try until the status is below 500."""
        for _ in self._tries():
            response = self._send("GET", path, headers=_HTMX)
            if response is not None and self._is_conclusive(response):
                return response
        raise TimeLimitReached(path)

    def submit(self, path: str, data: Mapping[str, str], statuses: list[str]) -> requests.Response:
        """Send a form until there is a response to it; append each try's status to `statuses`."""
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
        """Send a form once; return None if it is unknown whether it was accepted."""
        started = time.monotonic()
        response = self._send("POST", path, data=dict(data), headers=_HTMX)
        if response is None:
            statuses.append("lost")
            return None

        self.seconds.append(time.monotonic() - started)
        statuses.append(str(response.status_code))
        if not self._is_conclusive(response):
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

    def _is_conclusive(self, response: requests.Response) -> bool:
        """Return whether this responds to the request itself; sign in again if that is missing."""
        if response.status_code >= 500:
            return False
        if response.status_code == 401 or _LOGIN in response.headers.get("Location", ""):
            self.sign_in()
            return False
        return True

    def _send(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """Return the response; without one, return None and use the next address from now on."""
        url = self._addresses[self._address_index] + path
        try:
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
        """Yield the number of each try, with pauses that grow to two seconds.

        Raises `TimeLimitReached`.
        """
        pause = _MIN_PAUSE
        for number in count(1):
            yield number
            if time.monotonic() > self._until:
                raise TimeLimitReached(self._username)
            time.sleep(pause)
            pause = min(pause * 2, _MAX_PAUSE)
