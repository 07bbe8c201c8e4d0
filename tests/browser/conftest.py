"""A real browser on a real server: Chromium as it is installed, signed in without the sign-in page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User

# Playwright's synchronous door runs an event loop in this thread, which Django takes for a reason to refuse queries.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the system's Chromium where there is one, Playwright's own otherwise."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    own = {"executable_path": found} if found else {}
    return {**browser_type_launch_args, **own, "args": ["--no-sandbox"]}


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> Iterator[Callable[[User], Page]]:
    """Return a function that signs a person in and returns the page, which fails the test on any script error."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))

    def signed_in(person: User) -> Page:
        client = Client()
        client.force_login(person)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        return page

    yield signed_in
    assert not problems
