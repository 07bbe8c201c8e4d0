"""Drafts in a real browser: saved at once here, soon on the server, restored afterwards."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Dialog, Page, Route, expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Draft
from tests.decisions import decide
from tests.desk import Open, Window, ready

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]

WORDS = "Half a thought, 手書き"
STATE = "[data-draft-state]"
TOLD = "[data-draft-told]"
SAVED = re.compile("Draft saved on the server")


def _cut(page: Page) -> None:
    """Let nothing of drafts reach the server."""
    page.context.route("**/draft", lambda route: route.abort())


def test_it_is_saved_here_at_once_and_on_the_server_soon_after(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route("**/draft", keep)
    with page.expect_request("**/draft"):
        page.fill("#reasoning", WORDS)
        expect(page.locator(STATE)).to_have_text(re.compile(r"^Saved in this browser \d"))
    expect(page.locator(STATE)).not_to_contain_text("server")
    assert not Draft.objects.exists()
    held[0].continue_()
    expect(page.locator(STATE)).to_have_text(SAVED)
    assert Draft.objects.get().typed["reasoning"] == WORDS


def test_it_brings_back_after_a_crash_what_no_server_ever_got(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    _cut(page)
    page.fill("#reasoning", WORDS)
    page.locator('[name=choice][value="b"]').check(force=True)
    page.fill("#confidence", "0.77")
    page.close(run_before_unload=False)
    page.context.unroute("**/draft")
    again = page.context.new_page()
    open_item(again, items[0])
    expect(again.locator(TOLD)).to_contain_text("restored.")
    expect(again.locator("#reasoning")).to_have_value(WORDS)
    expect(again.locator("#confidence")).to_have_value("0.77")
    expect(again.locator('[name=choice][value="b"]')).to_be_checked()
    expect(again.locator(STATE)).to_have_text(SAVED)
    again.keyboard.press("Control+Enter")
    ready(again, items[1])
    decision = Decision.objects.get()
    assert (decision.label, decision.reasoning, decision.confidence) == ("b", WORDS, 0.77)
    assert not Draft.objects.exists()
    assert again.evaluate("Object.keys(localStorage)") == []


def test_it_asks_nothing_about_what_the_newer_words_followed_on_from(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", WORDS)
    expect(page.locator(STATE)).to_have_text(SAVED)
    _cut(page)
    page.fill("#reasoning", f"{WORDS}, and the other half")
    expect(page.locator(STATE)).to_contain_text("Saved in this browser")
    page.close(run_before_unload=False)
    page.context.unroute("**/draft")
    again = page.context.new_page()
    open_item(again, items[0])
    expect(again.locator("#reasoning")).to_have_value(f"{WORDS}, and the other half")
    expect(again.locator(STATE)).to_have_text(SAVED)
    expect(again.locator("[data-draft-offers] > *")).to_have_count(0)


def test_it_takes_newer_words_for_newer_however_slowly_the_page_had_come(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    """The page sets the browser's clock, so that is late by as long as the page was under way."""

    def delay(route: Route) -> None:
        response = route.fetch()
        minute_ago = (timezone.now() - timedelta(minutes=1)).isoformat()
        body = re.sub(r'data-now="[^"]*"', f'data-now="{minute_ago}"', response.text())
        route.fulfill(response=response, body=body)

    page = window(alice)
    page.route(re.compile(r"/annotations/\d+$"), delay)
    open_item(page, items[0])
    page.fill("#reasoning", WORDS)
    expect(page.locator(STATE)).to_have_text(SAVED)
    # Not even the last request of a closing page arrives.
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('cut')); }")
    page.fill("#reasoning", f"{WORDS}, and the other half")
    expect(page.locator(STATE)).to_contain_text("Saved in this browser")
    page.close(run_before_unload=False)
    again = page.context.new_page()
    open_item(again, items[0])
    expect(again.locator("#reasoning")).to_have_value(f"{WORDS}, and the other half")
    expect(again.locator(STATE)).to_have_text(SAVED)
    expect(again.locator("[data-draft-offers] > *")).to_have_count(0)


def test_it_is_there_in_another_browser_of_the_same_person(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    office, home = window(alice), window(alice)
    open_item(office, items[0])
    office.fill("#label", "other")
    office.fill("#reasoning", WORDS)
    expect(office.locator(STATE)).to_have_text(SAVED)
    open_item(home, items[0])
    expect(home.locator(TOLD)).to_contain_text("restored.")
    expect(home.locator("#reasoning")).to_have_value(WORDS)
    expect(home.locator("#label")).to_have_value("other")
    home.get_by_role("button", name="Discard").click()
    expect(home.locator("#reasoning")).to_have_value("")
    expect(home.locator(TOLD)).to_be_hidden()
    assert not Draft.objects.exists()


def test_it_offers_what_another_browser_typed_and_drops_neither(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    office, home = window(alice), window(alice)
    open_item(office, items[0])
    open_item(home, items[0])
    office.fill("#reasoning", "At the office")
    expect(office.locator(STATE)).to_have_text(SAVED)
    home.fill("#reasoning", "At home")
    offer = home.locator("[data-draft-offers] .banner")
    expect(offer).to_contain_text("in another browser: a, “At the office”")
    expect(home.locator(STATE)).to_contain_text("Another browser has saved a different draft")
    assert Draft.objects.get().typed["reasoning"] == "At the office"
    offer.get_by_role("button", name="Show that draft").click()
    expect(home.locator("#reasoning")).to_have_value("At the office")
    expect(offer).to_contain_text("At home")
    offer.get_by_role("button", name="Show that draft").click()
    expect(home.locator("#reasoning")).to_have_value("At home")
    offer.get_by_role("button", name="Keep this one").click()
    expect(offer).to_have_count(0)
    expect(home.locator(STATE)).to_have_text(SAVED)
    assert Draft.objects.get().typed["reasoning"] == "At home"


def test_it_tells_another_tab_from_another_browser_and_withdraws_what_is_no_draft_any_more(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    first = window(alice)
    other = first.context.new_page()
    open_item(first, items[0])
    open_item(other, items[0])
    first.fill("#reasoning", "In one tab")
    expect(first.locator(STATE)).to_have_text(SAVED)
    other.fill("#reasoning", "In the other")
    offer = other.locator("[data-draft-offers] .banner")
    expect(offer).to_contain_text("in another tab: a, “In one tab”")
    expect(other.locator(STATE)).to_contain_text("Another tab has saved a different draft")
    first.bring_to_front()
    first.keyboard.press("Control+Enter")
    ready(first, items[1])
    expect(offer).to_have_count(0)
    expect(other.locator("#reasoning")).to_have_value("In the other")
    expect(other.locator(STATE)).to_have_text(SAVED)
    assert Draft.objects.get().typed["reasoning"] == "In the other"


def test_it_withdraws_the_offer_of_another_browsers_draft_that_was_discarded(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    office, home = window(alice), window(alice)
    home.clock.install()
    open_item(office, items[0])
    open_item(home, items[0])
    office.fill("#reasoning", "At the office")
    expect(office.locator(STATE)).to_have_text(SAVED)
    home.fill("#reasoning", "At home")
    home.clock.fast_forward(2000)
    offer = home.locator("[data-draft-offers] .banner")
    expect(offer).to_contain_text("in another browser")
    Draft.objects.all().delete()
    home.clock.fast_forward(16000)
    expect(offer).to_have_count(0)
    expect(home.locator(STATE)).to_have_text(SAVED)
    assert Draft.objects.get().typed["reasoning"] == "At home"


def test_it_compares_a_draft_that_is_older_than_the_item(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    _cut(page)
    page.fill("#label", "mine")
    page.fill("#reasoning", WORDS)
    page.close()
    Annotation.objects.filter(pk=items[0].pk).update(label="theirs", confidence=0.9)
    again = page.context.new_page()
    open_item(again, items[0])
    expect(again.locator("#stale")).to_contain_text("theirs")
    expect(again.locator("#reasoning")).to_have_value(WORDS)
    expect(again.locator("#label")).to_have_value("mine")
    expect(again.locator("#confidence")).to_have_value("")
    again.get_by_text("Take theirs").click()
    again.keyboard.press("Control+Enter")
    ready(again, items[1])
    decision = Decision.objects.get()
    assert (decision.label, decision.reasoning, decision.confidence) == ("theirs", WORDS, None)
    assert Annotation.objects.get(pk=items[0].pk).confidence == 0.9


@pytest.mark.parametrize("storage", ["forbidden", "full"])
def test_it_says_so_and_uses_the_server_when_the_browser_keeps_nothing(
    window: Window, open_item: Open, alice: User, items: list[Annotation], storage: str
) -> None:
    page = window(alice)
    if storage == "forbidden":
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})"
        )
    else:
        page.add_init_script(
            "Storage.prototype.setItem = () => { throw new DOMException('x', 'QuotaExceededError'); }"
        )
    open_item(page, items[0])
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route("**/draft", keep)
    with page.expect_request("**/draft"):
        page.fill("#reasoning", WORDS)
    expect(page.locator(STATE)).to_contain_text(
        "Not saved: this browser's storage is full or switched off"
    )
    held[0].continue_()
    expect(page.locator(STATE)).to_have_text(SAVED)


def test_it_saves_now_by_key_and_says_so_while_somebody_types(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", WORDS)
    page.keyboard.press("Control+s")
    expect(page.locator("#live")).to_have_text(
        "Draft saved on the server. Nothing is submitted yet."
    )
    ready(page, items[0])
    assert not Decision.objects.exists()
    _cut(page)
    page.fill("#reasoning", "More")
    page.keyboard.press("Control+s")
    expect(page.locator("#live")).to_contain_text("No connection.")
    expect(page.locator(STATE)).to_contain_text("No connection.")


def test_it_shows_nobody_what_another_person_typed_in_this_browser(
    window: Window, open_item: Open, alice: User, bob: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    _cut(page)
    page.fill("#reasoning", WORDS)
    storage = page.evaluate("JSON.stringify(localStorage)")
    other = window(bob)
    open_item(other, items[0])
    other.evaluate(
        "(kept) => Object.entries(JSON.parse(kept)).forEach(([k, v]) => localStorage.setItem(k, v))",
        storage,
    )
    open_item(other, items[0])
    expect(other.locator("#reasoning")).to_have_value("")
    expect(other.locator(TOLD)).to_be_hidden()


def test_it_leaves_an_item_without_a_question_because_what_was_typed_comes_back(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    questions: list[str] = []

    def answer(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.accept()

    page.on("dialog", answer)
    open_item(page, items[0])
    page.fill("#reasoning", WORDS)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    ready(page, items[1])
    expect(page.locator("#reasoning")).to_have_value("")
    page.keyboard.press("k")
    ready(page, items[0])
    expect(page.locator("#reasoning")).to_have_value(WORDS)
    assert questions == []


def test_it_forgets_a_draft_that_was_submitted_just_before_a_crash(
    window: Window, open_item: Open, alice: User, bob: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", WORDS)
    storage = page.evaluate("JSON.stringify(localStorage)")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    page.evaluate(
        "(kept) => Object.entries(JSON.parse(kept)).forEach(([k, v]) => localStorage.setItem(k, v))",
        storage,
    )
    decide(items[0], bob, reasoning="Put better since")
    open_item(page, items[0])
    expect(page.locator("#failure")).to_contain_text("had already been submitted")
    expect(page.locator("#reasoning")).to_have_value("Put better since")
    expect(page.locator(TOLD)).to_be_hidden()
    assert not Draft.objects.exists()
    assert page.evaluate("Object.keys(localStorage)") == []


def test_it_makes_no_draft_of_a_look_at_a_late_undo(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    alice.undo_seconds = 0
    alice.save()
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", "Because")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    # Held for no second, so undoing is a new decision: its form holds the values from before.
    page.locator("#bar [data-action=undo]").click()
    ready(page, items[0])
    expect(page.locator("#undoing")).to_be_visible()
    page.go_back()
    ready(page, items[1])
    page.locator("#bar [data-action=undo]").click()
    ready(page, items[0])
    page.keyboard.press("j")
    ready(page, items[1])
    assert not Draft.objects.exists()
    keys = page.evaluate("Object.keys(localStorage).filter((key) => key.includes('draft'))")
    assert keys == []
