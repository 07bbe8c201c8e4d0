"""Browsers of people who type: a new window for each, and what is ready in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from tests.factories import make_annotation, make_retriever

Window = Callable[..., Page]
Open = Callable[[Page, Annotation], None]


@pytest.fixture
def items(db: None) -> list[Annotation]:
    """Three waiting items of one retriever, in the order of the queue, with the labels a, b and c in use."""
    retriever = make_retriever()
    return [
        make_annotation(retriever, label=label, confidence=0.1 * at, title=f"Item {at}")
        for at, label in enumerate("abc", 1)
    ]


@pytest.fixture
def window(browser: Browser, live_server: LiveServer) -> Iterator[Window]:
    """Return a function that opens a browser of its own for a person; a script error in any of them fails the test."""
    problems: list[str] = []
    contexts = []

    def opened(person: User | None = None, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        if person:
            sit_down(context, person, live_server.url)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    assert not problems


def sit_down(context: Any, person: User, url: str) -> None:
    """Put a fresh session of `person` into a browser, as signing in in another tab would."""
    client = Client()
    client.force_login(person)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])


@pytest.fixture
def open_item(live_server: LiveServer) -> Open:
    """Return a function that opens an item in a window and waits until it can be decided."""

    def opened(page: Page, item: Annotation) -> None:
        page.goto(live_server.url + reverse("review", args=[item.pk]))
        ready(page, item)

    return opened


def ready(page: Page, item: Annotation) -> None:
    """Wait until this item is in the page and takes a submit."""
    expect(page.locator(f'#review[data-item="{item.pk}"][data-ready]')).to_be_visible()
