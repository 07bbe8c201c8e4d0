"""A browser at a signed-in person's desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User


@dataclass(kw_only=True)
class Desk:
    """One browser window on one server; `complaints` is what its console had to say of policy and scripts."""

    page: Page
    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, person: User) -> None:
        """Put a fresh session of `person` into the browser, as signing in in another tab would."""
        client = Client()
        client.force_login(person)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.url}])

    def open(self, address: str) -> None:
        """Go to `address` of the server and wait until it is there."""
        self.page.goto(self.url + address)

    @property
    def address(self) -> str:
        """Return path and query of the page."""
        return self.page.url.removeprefix(self.url)


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk with nobody signed in; `@pytest.mark.parametrize("desk", [{...}], indirect=True)` sets the window."""
    window: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
    context = browser.new_context(**window | getattr(request, "param", {}))
    seen = Desk(page=context.new_page(), context=context, url=live_server.url)
    assert urlsplit(seen.url).hostname == "localhost"
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on(
        "console",
        lambda message: seen.complaints.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield seen
    context.close()
