"""Browser windows for tests: a person's own window, signed in, and an item open in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from tests.factories import make_annotation, make_retriever
from tests.people import signed_in

Window = Callable[..., Page]
Open = Callable[[Page, Annotation], None]


def sign_in_browser(context: BrowserContext, user: User, url: str) -> None:
    """Put a fresh session of `user` into a browser, as signing in in another tab would."""
    name = settings.SESSION_COOKIE_NAME
    session = signed_in(user).cookies[name].value
    context.add_cookies([{"name": name, "value": session, "url": url}])


@pytest.fixture
def window(
    browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest
) -> Iterator[Window]:
    """Return a function that opens a browser of its own for a person.

    In a test with the marker `answer_first`, its pages load no item ahead.
    Without a person, nobody is signed in. A script error in any of them fails the test. Options are
    Playwright's, of `Browser.new_context`.
    """
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    def open_window(user: User | None = None, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        if user:
            sign_in_browser(context, user, live_server.url)
        if request.node.get_closest_marker("answer_first"):
            without_next_item(context)
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()
    assert not problems


@dataclass(kw_only=True)
class Desk:
    """One browser window on one server; `complaints` are console messages about our policy."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        """Return the browser that the window belongs to."""
        return self.page.context

    @property
    def address(self) -> str:
        """Return path and query of the page."""
        return self.page.url.removeprefix(self.url)

    def sign_in(self, user: User) -> None:
        """Put a fresh session of `user` into the browser."""
        sign_in_browser(self.context, user, self.url)

    def open(self, address: str) -> None:
        """Go to `address` of the server and wait until it is there."""
        self.page.goto(self.url + address)


@pytest.fixture
def desk(window: Window, live_server: LiveServer, request: pytest.FixtureRequest) -> Desk:
    """A desk with nobody signed in.

    `@pytest.mark.parametrize("desk", [{...}], indirect=True)` sets the options of its window.
    """
    assert urlsplit(live_server.url).hostname == "localhost"
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
    desk = Desk(page=window(**options | getattr(request, "param", {})), url=live_server.url)

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            desk.complaints.append(message.text)

    desk.page.on("console", note)
    return desk


@pytest.fixture
def items(db: None) -> list[Annotation]:
    """Three waiting items of one retriever, in the queue's order, with the labels a, b and c."""
    retriever = make_retriever()
    items = []
    for number, label in enumerate("abc", 1):
        title = f"Item {number}"
        item = make_annotation(retriever, label=label, confidence=0.1 * number, title=title)
        items.append(item)
    return items


@pytest.fixture
def open_item(live_server: LiveServer) -> Open:
    """Return a function that opens an item in a window and waits until it can be decided."""

    def open_review_page(page: Page, item: Annotation) -> None:
        page.goto(live_server.url + reverse("review", args=[item.pk]))
        ready(page, item)

    return open_review_page


def put_in_use(items: list[Annotation], *labels: str) -> None:
    """Decide an item with each label, so that nobody is asked whether to create it."""
    for label in labels:
        make_annotation(items[0].retriever, label=label, status="decided")


def at_hand(page: Page, item: Annotation) -> None:
    """Wait until the page has loaded this item as its next one."""
    expect(page.locator(f'#review[data-next="{item.pk}"]')).to_be_attached()


def without_next_item(context: BrowserContext) -> None:
    """Let its pages load no item ahead: a submit then waits for the server's answer."""
    context.route("**/annotations/ahead?*", lambda route: route.fulfill(status=204))


def answered(page: Page) -> None:
    """Wait until every submit has its answer."""
    expect(page.locator("#progress")).not_to_contain_text("Saving")


def ready(page: Page, item: Annotation) -> None:
    """Wait until this item is in the page and takes a submit."""
    expect(page.locator(f'#review[data-item="{item.pk}"][data-ready]')).to_be_visible()
