"""One client that keeps its connection: signs in through the page, asks, and says how long each answer took."""

from __future__ import annotations

from html.parser import HTMLParser
from time import perf_counter
from typing import Any

import requests


class Unexpected(Exception):
    """An answer was not of the kind that is measured; the message says which."""


class Visitor:
    """A session with one server; every timed answer is read to its end."""

    def __init__(self, base: str, *, token: str = "") -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def sign_in(self, username: str, password: str) -> None:
        """Sign in as a person does, through the page."""
        page = self.session.get(f"{self.base}/accounts/login/")
        fields = form_fields(page.text, "/accounts/login/") | {
            "login": username,
            "password": password,
        }
        answer = self.session.post(f"{self.base}/accounts/login/", data=fields, allow_redirects=False)
        if answer.status_code != 302:
            raise Unexpected(f"{username} could not sign in: {answer.status_code}")

    def ask(self, path: str, *, method: str = "GET", status: int = 200, **more: Any) -> tuple[float, requests.Response]:
        """Return the seconds until the whole answer was there, and the answer; raises `Unexpected`."""
        started = perf_counter()
        answer = self.session.request(method, self.base + path, allow_redirects=False, **more)
        seconds = perf_counter() - started
        if answer.status_code != status:
            raise Unexpected(f"{method} {path} was answered with {answer.status_code}: {answer.text[:500]}")
        return seconds, answer


def form_fields(html: str, action: str) -> dict[str, str]:
    """Return what a browser would send for the form whose action starts with `action`, nothing typed or pressed."""
    reader = _Fields(action)
    reader.feed(html)
    return reader.found


class _Fields(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.found = action, dict[str, str]()
        self._inside = False
        self._area = ""
        self._begun = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = said.get("action", "").startswith(self.action)
        if not self._inside or not said.get("name"):
            return
        picked = said.get("type") not in {"radio", "checkbox"} or "checked" in said
        if tag == "input" and picked:
            self.found[said["name"]] = said.get("value", "")
        if tag == "textarea":
            self._area, self._begun = said["name"], False
            self.found[self._area] = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            # The line break right behind the tag is not part of the text.
            self.found[self._area] = f"{self.found[self._area]}{data}" if self._begun else data.removeprefix("\n")
            self._begun = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        if tag == "form":
            self._inside = False
