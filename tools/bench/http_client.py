"""An HTTP client that signs in through the page and times each response."""

from __future__ import annotations

from html.parser import HTMLParser
from time import perf_counter
from typing import Any

import requests


class UnexpectedResponse(Exception):
    """A response had another status than the one that is measured; the message says which."""


class TimedClient:
    """A session with one server; every timed response is read to its end."""

    def __init__(self, base: str, *, token: str = "") -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def sign_in(self, username: str, password: str) -> None:
        """Sign in as a person does, through the page."""
        url = f"{self.base}/accounts/login/"
        page = self.session.get(url)

        fields = form_fields(page.text, "/accounts/login/")
        fields["login"] = username
        fields["password"] = password

        response = self.session.post(url, data=fields, allow_redirects=False)
        if response.status_code != 302:
            message = f"{username} could not sign in: {response.status_code}"
            raise UnexpectedResponse(message)

    def timed_request(
        self, path: str, *, method: str = "GET", status: int = 200, **options: Any
    ) -> tuple[float, requests.Response]:
        """Return the seconds until the whole response was there, and the response.

        Raises `UnexpectedResponse` for any other status.
        """
        url = self.base + path

        started = perf_counter()
        response = self.session.request(method, url, allow_redirects=False, **options)
        seconds = perf_counter() - started

        if response.status_code != status:
            text = response.text[:500]
            message = f"{method} {path} was answered with {response.status_code}: {text}"
            raise UnexpectedResponse(message)
        return seconds, response


def form_fields(html: str, action: str) -> dict[str, str]:
    """Return what a browser would send for the untouched form whose action starts with `action`."""
    parser = _FormFieldsParser(action)
    parser.feed(html)
    return parser.values


class _FormFieldsParser(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.values: dict[str, str] = {}
        self._inside_form = False
        # The name of the textarea that the parser is in.
        self._textarea = ""
        self._textarea_has_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside_form = attributes.get("action", "").startswith(self.action)
        if not self._inside_form or not attributes.get("name"):
            return
        if tag == "input":
            self._start_input(attributes)
        if tag == "textarea":
            self._start_textarea(attributes["name"])

    def _start_input(self, attributes: dict[str, str]) -> None:
        is_choice = attributes.get("type") in {"radio", "checkbox"}
        if not is_choice or "checked" in attributes:
            self.values[attributes["name"]] = attributes.get("value", "")

    def _start_textarea(self, name: str) -> None:
        self._textarea = name
        self._textarea_has_text = False
        self.values[name] = ""

    def handle_data(self, data: str) -> None:
        if not self._textarea:
            return
        if not self._textarea_has_text:
            # The line break right behind the tag is not part of the text.
            data = data.removeprefix("\n")
            self._textarea_has_text = True
        self.values[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""
        if tag == "form":
            self._inside_form = False
