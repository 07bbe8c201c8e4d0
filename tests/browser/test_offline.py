"""The network fails during reviews: submits wait in the browser, in order, and none is lost."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, SetAside
from tests.desk import Open, Window, put_in_use, ready, sign_in_browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]

CHIP = "[data-waiting-count]"
WAITS = "#waits"


def _tabs(window: Window, open_item: Open, person: User, items: list[Annotation]) -> list[Page]:
    """Open each item in a tab of one browser."""
    first = window(person)
    tabs = [first, *(first.context.new_page() for _ in items[1:])]
    for tab, item in zip(tabs, items, strict=True):
        open_item(tab, item)
    return tabs


def _waiting(page: Page) -> int:
    return int(
        page.evaluate(
            "Object.keys(localStorage).filter((key) => key.startsWith('reviewapp.waiting')).length"
        )
    )


def test_it_loses_nothing_of_three_reviews_when_the_network_is_unplugged(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    put_in_use(items, "x", "y", "z")
    tabs = _tabs(window, open_item, alice, items)
    tabs[0].context.set_offline(True)
    for tab, label in zip(tabs, ("x", "y", "z"), strict=True):
        tab.fill("#label", label)
        tab.fill("#reasoning", f"Why {label}")
        tab.keyboard.press("Control+Enter")
        expect(tab.locator(WAITS)).to_contain_text("This is not saved yet.")
        expect(tab.locator("#live")).to_have_text(
            "You are offline. Not saved yet; it is sent when you reconnect."
        )
        # One message, not two that say different things.
        expect(tab.locator("#failure")).to_be_hidden()
    expect(tabs[0].locator(CHIP)).to_contain_text("3 unsent decisions")
    assert "Saved." not in tabs[2].locator("#live").inner_text()
    assert not Decision.objects.exists()
    tabs[0].context.set_offline(False)
    for tab in tabs:
        expect(tab.locator(CHIP)).to_be_hidden()
    assert [
        (decision.label, decision.reasoning) for decision in Decision.objects.order_by("id")
    ] == [
        ("x", "Why x"),
        ("y", "Why y"),
        ("z", "Why z"),
    ]
    expect(tabs[0].locator(WAITS)).to_be_hidden()


def test_it_sends_what_waits_when_a_page_is_opened_after_a_crash(
    window: Window, open_item: Open, alice: User, items: list[Annotation], live_server: LiveServer
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.context.set_offline(True)
    page.fill("#reasoning", "Kept")
    page.keyboard.press("Control+Enter")
    expect(page.locator(WAITS)).to_be_visible()
    page.close(run_before_unload=False)
    again = page.context.new_page()
    page.context.set_offline(False)
    again.goto(live_server.url + "/annotations")
    expect(again.locator("#live")).to_contain_text("Item 1: Saved.")
    expect(again.locator(CHIP)).to_be_hidden()
    assert Decision.objects.get().reasoning == "Kept"


def test_it_makes_one_decision_of_one_whose_answer_was_lost(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if not lost:
            lost.append(route.fetch().text())
            route.abort()
        else:
            route.continue_()

    page.route("**/decide", lose_the_first_answer)
    page.fill("#reasoning", "Once")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    expect(page.locator(CHIP)).to_be_hidden()
    assert len(lost) == 1
    assert Decision.objects.get().reasoning == "Once"


def test_it_shows_a_conflict_as_one_and_keeps_every_word(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    put_in_use(items, "mine")
    page = window(alice)
    open_item(page, items[0])
    page.context.set_offline(True)
    page.fill("#label", "mine")
    page.fill("#reasoning", "My words")
    page.keyboard.press("Control+Enter")
    expect(page.locator(WAITS)).to_be_visible()
    Annotation.objects.filter(pk=items[0].pk).update(label="theirs")
    page.context.set_offline(False)
    expect(page.locator("#stale")).to_contain_text("theirs")
    expect(page.locator("#label")).to_have_value("mine")
    expect(page.locator("#reasoning")).to_have_value("My words")
    expect(page.locator(CHIP)).to_contain_text("1 needs you")
    assert not Decision.objects.exists()
    ready(page, items[0])
    page.locator("[name=keep_label][value=mine]").check()
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    expect(page.locator(CHIP)).to_be_hidden()
    assert (Decision.objects.get().label, Decision.objects.get().reasoning) == ("mine", "My words")


def test_it_takes_back_what_waits(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.context.set_offline(True)
    page.fill("#reasoning", "Too early")
    page.keyboard.press("Control+Enter")
    expect(page.locator(CHIP)).to_contain_text("1 unsent decision")
    page.locator(WAITS).get_by_role("button", name="Undo").click()
    expect(page.locator(CHIP)).to_be_hidden()
    page.locator("#reasoning").fill("Better")
    page.context.set_offline(False)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    assert Decision.objects.get().reasoning == "Better"


def test_it_skips_and_defers_without_a_network_too(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    tabs = _tabs(window, open_item, alice, items)
    tabs[0].context.set_offline(True)
    tabs[0].keyboard.press("s")
    expect(tabs[0].locator(WAITS)).to_be_visible()
    tabs[1].keyboard.press("d")
    expect(tabs[1].locator(CHIP)).to_contain_text("2 unsent actions")
    tabs[0].context.set_offline(False)
    expect(tabs[0].locator(CHIP)).to_be_hidden()
    assert {(row.annotation_id, row.kind) for row in SetAside.objects.all()} == {
        (items[0].pk, "skipped"),
        (items[1].pk, "deferred"),
    }


def test_it_never_submits_in_the_name_of_somebody_else(
    window: Window,
    open_item: Open,
    alice: User,
    bob: User,
    items: list[Annotation],
    live_server: LiveServer,
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.context.set_offline(True)
    page.fill("#reasoning", "Said Alice")
    page.keyboard.press("Control+Enter")
    expect(page.locator(WAITS)).to_be_visible()
    sign_in_browser(page.context, bob, live_server.url)
    page.context.set_offline(False)
    expect(page.locator("#failure")).to_contain_text("They are kept until alice signs in again.")
    page.goto(live_server.url + "/annotations")
    expect(page.locator(CHIP)).to_be_hidden()
    assert _waiting(page) == 1
    assert not Decision.objects.exists()
    sign_in_browser(page.context, alice, live_server.url)
    page.goto(live_server.url + "/annotations")
    expect(page.locator("#live")).to_contain_text("Item 1: Saved.")
    assert Decision.objects.get().reviewer == alice


@pytest.mark.parametrize("width", [1280, 360])
def test_it_lists_what_waits_for_everybody(
    window: Window, open_item: Open, alice: User, items: list[Annotation], width: int
) -> None:
    page = window(alice, viewport={"width": width, "height": 800})
    open_item(page, items[0])
    page.context.set_offline(True)
    page.locator("[data-action=submit]").click()
    expect(page.locator(WAITS)).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.locator(CHIP).click()
    expect(page.locator("#waiting li")).to_contain_text(
        re.compile("Decision from .*, not sent yet")
    )
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "The server did not accept this form."),
        (413, "This is too large for the server."),
        (403, "You no longer have access to decide this."),
    ],
)
def test_it_says_why_the_server_refuses_what_waited(
    window: Window,
    open_item: Open,
    alice: User,
    items: list[Annotation],
    status: int,
    sentence: str,
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.context.set_offline(True)
    page.fill("#reasoning", "Written offline")
    page.keyboard.press("Control+Enter")
    expect(page.locator(WAITS)).to_contain_text("This is not saved yet.")

    page.route("**/decide*", lambda route: route.fulfill(status=status, body="<p>No.</p>"))
    page.context.set_offline(False)
    expect(page.locator(CHIP)).to_contain_text("1 needs you")
    page.locator(CHIP).click()
    expect(page.locator("#waiting [data-says]")).to_contain_text(sentence)
    # No other reason is given beside it, and what was typed is a draft.
    page.unroute("**/decide*")
    page.reload()
    expect(page.locator("#reasoning")).to_have_value("Written offline")
    assert not Decision.objects.exists()
