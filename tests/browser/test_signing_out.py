"""Signing out on a shared browser removes what was saved and asks about what was not."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Draft
from tests.desk import Open, Window, ready, sign_in_browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.answer_first,
]

WORDS = "Half a thought about the serifs"
ASKS = "#signing_out"


def stored_text(page: Page) -> str:
    """Return all that the browser keeps of us, as the next person could read it."""
    return str(page.evaluate("JSON.stringify(localStorage)"))


def sign_out(page: Page) -> None:
    page.locator("#top .menu summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()


def is_signed_out(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def cut(page: Page, what: str) -> None:
    page.context.route(what, lambda route: route.abort())


def submit_without_network(page: Page) -> None:
    cut(page, "**/decide*")
    page.fill("#reasoning", WORDS)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#waits")).to_be_visible()


def test_it_leaves_no_draft_behind_that_the_server_has(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", WORDS)
    expect(page.locator("[data-draft-state]")).to_contain_text("on the server")
    assert WORDS in stored_text(page)
    sign_out(page)
    is_signed_out(page)
    assert WORDS not in stored_text(page)
    assert Draft.objects.get().typed["reasoning"] == WORDS


def test_it_saves_first_what_only_this_browser_has(
    window: Window, open_item: Open, alice: User, items: list[Annotation], live_server: LiveServer
) -> None:
    page = window(alice)
    cut(page, "**/annotations/*/draft*")
    for item in items[:2]:
        open_item(page, item)
        page.fill("#reasoning", f"{WORDS} {item.pk}")
        expect(page.locator("[data-draft-state]")).to_contain_text("Saved in this browser")
    page.context.unroute("**/annotations/*/draft*")
    sign_out(page)
    is_signed_out(page)
    assert WORDS not in stored_text(page)
    saved = {draft.annotation_id: draft.typed["reasoning"] for draft in Draft.objects.all()}
    assert saved == {item.pk: f"{WORDS} {item.pk}" for item in items[:2]}


def test_it_sends_first_what_waits(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    submit_without_network(page)
    page.context.unroute("**/decide*")
    sign_out(page)
    is_signed_out(page)
    assert WORDS not in stored_text(page)
    assert Decision.objects.get().reasoning == WORDS


def test_it_warns_of_what_is_not_sent_and_keeps_it(
    window: Window, open_item: Open, alice: User, items: list[Annotation], live_server: LiveServer
) -> None:
    page = window(alice)
    open_item(page, items[0])
    submit_without_network(page)
    sign_out(page)
    expect(page.locator(ASKS)).to_contain_text("This browser has 1 unsent decision.")
    expect(page.get_by_role("button", name="Stay signed in")).to_be_focused()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.keyboard.press("Enter")
    expect(page.locator(ASKS)).to_be_hidden()
    sign_out(page)
    page.get_by_role("button", name="Sign out and keep my work").click()
    is_signed_out(page)
    assert WORDS in stored_text(page)
    page.context.unroute("**/decide*")
    sign_in_browser(page.context, alice, live_server.url)
    page.goto(f"{live_server.url}/annotations")
    expect(page.locator("[data-waiting-count]")).to_be_hidden()
    expect(page.locator("#live")).to_contain_text("Saved.")
    assert Decision.objects.get().reasoning == WORDS


def test_it_warns_of_a_draft_that_only_this_browser_has(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    cut(page, "**/annotations/*/draft*")
    page.fill("#reasoning", WORDS)
    sign_out(page)
    expect(page.locator(ASKS)).to_contain_text("This browser has 1 unsaved draft.")
    page.get_by_role("button", name="Sign out and keep my work").click()
    is_signed_out(page)
    assert WORDS in stored_text(page)


@pytest.mark.parametrize("sure", [True, False])
def test_it_deletes_only_what_it_is_told_to_delete(
    window: Window, open_item: Open, alice: User, items: list[Annotation], sure: bool
) -> None:
    page = window(alice)
    open_item(page, items[0])
    submit_without_network(page)
    sign_out(page)
    page.on("dialog", lambda dialog: dialog.accept() if sure else dialog.dismiss())
    page.get_by_role("button", name="Delete my work and sign out").click()
    if sure:
        is_signed_out(page)
    assert (WORDS in stored_text(page)) is not sure
    assert not Decision.objects.exists()


def test_it_leaves_nothing_saved_to_the_next_person_after_a_session_that_just_ended(
    window: Window,
    open_item: Open,
    alice: User,
    bob: User,
    items: list[Annotation],
    live_server: LiveServer,
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", WORDS)
    expect(page.locator("[data-draft-state]")).to_contain_text("on the server")
    cut(page, "**/annotations/*/draft*")
    open_item(page, items[1])
    page.fill("#reasoning", "Nobody has this yet")
    sign_in_browser(page.context, bob, live_server.url)
    page.goto(f"{live_server.url}/annotations")
    left: Any = stored_text(page)
    assert WORDS not in left
    assert "Nobody has this yet" in left
    sign_in_browser(page.context, alice, live_server.url)
    open_item(page, items[0])
    expect(page.locator("#reasoning")).to_have_value(WORDS)
    ready(page, items[0])
