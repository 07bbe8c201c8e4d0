"""The next item is loaded while somebody judges this one, and shown at once on a submit."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Lease, SetAside
from tests.desk import Open, Window, at_hand, ready, without_next_item
from tests.factories import make_annotation, make_result, make_retriever

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Held:
    """Requests to a URL that wait until the test lets them go."""

    def __init__(self, page: Page, url: str) -> None:
        self.routes: list[Route] = []
        self.page = page
        page.route(url, self.hold)

    def hold(self, route: Route) -> None:
        self.routes.append(route)

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        while len(self.routes) < count:
            self.page.wait_for_timeout(10)

    def let_go(self) -> None:
        """Send the oldest request on to the server."""
        self.routes.pop(0).continue_()


@pytest.fixture
def six_items(db: None) -> list[Annotation]:
    """Six waiting items of one retriever, in the queue's order."""
    retriever = make_retriever()
    items = []
    for number in range(6):
        values = {"label": "ab"[number % 2], "confidence": 0.1 * (number + 1)}
        items.append(make_annotation(retriever, title=f"Item {number + 1}", **values))
    return items


@pytest.fixture
def page(window: Window, open_item: Open, alice: User, six_items: list[Annotation]) -> Page:
    """Alice's window with the first item open and the second at hand."""
    page = window(alice)
    open_item(page, six_items[0])
    at_hand(page, six_items[1])
    return page


def test_it_shows_the_next_item_before_the_server_has_the_decision(
    page: Page, six_items: list[Annotation]
) -> None:
    submits = Held(page, "**/decide")
    page.keyboard.press("Control+Enter")
    ready(page, six_items[1])
    assert not Decision.objects.exists()
    expect(page).to_have_url(re.compile(f"/annotations/{six_items[1].pk}$"))
    expect(page.locator(".bar-message")).to_have_count(0)
    expect(page.locator("#live")).to_have_text("Item 2")

    submits.wait_for(1)
    submits.let_go()

    expect(page.locator(".bar-message")).to_contain_text("Saved. 5 left.")
    expect(page.locator("#live")).to_have_text("Saved. 5 left. Item 2")
    expect(page.locator("#recent li", has_text="Item 1")).to_be_attached()
    assert Decision.objects.get().annotation == six_items[0]


def test_it_keeps_the_order_of_three_submits_and_takes_no_fourth(
    page: Page, six_items: list[Annotation]
) -> None:
    submits = Held(page, "**/decide")
    for number in range(3):
        page.keyboard.press("Control+Enter")
        ready(page, six_items[number + 1])
        at_hand(page, six_items[number + 2])
    page.keyboard.press("Control+Enter")
    ready(page, six_items[3])

    for _ in range(3):
        submits.wait_for(1)
        submits.let_go()
    expect(page.locator(".bar-message")).to_contain_text("Saved. 3 left.")
    decided = Decision.objects.order_by("pk").values_list("annotation_id", flat=True)
    assert list(decided) == [item.pk for item in six_items[:3]]


def test_it_brings_a_refused_item_back_with_what_was_typed(
    page: Page, six_items: list[Annotation]
) -> None:
    submits = Held(page, "**/decide")
    page.fill("#reasoning", "I looked twice")
    page.keyboard.press("Control+Enter")
    ready(page, six_items[1])
    page.fill("#reasoning", "Half a senten")
    Annotation.objects.filter(pk=six_items[0].pk).update(reasoning="Somebody was faster", version=2)
    submits.wait_for(1)
    submits.let_go()

    ready(page, six_items[0])
    expect(page.locator("#failure")).to_be_visible()
    expect(page.locator("#stale")).to_be_visible()
    expect(page.locator("#reasoning")).to_have_value("I looked twice")
    expect(page).to_have_url(re.compile(f"/annotations/{six_items[0].pk}$"))
    assert not Decision.objects.exists()

    page.locator('[data-keep="reasoning"][value="mine"]').check()
    at_hand(page, six_items[1])
    page.unroute("**/decide")
    page.locator("[data-action=submit]").click()
    ready(page, six_items[1])
    expect(page.locator("#reasoning")).to_have_value("Half a senten")
    expect(page.locator(".bar-message")).to_contain_text("Saved.")
    assert Decision.objects.get().reasoning == "I looked twice"


def test_it_keeps_a_decision_that_finds_no_network(page: Page, six_items: list[Annotation]) -> None:
    page.route("**/decide", lambda route: route.abort())
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    ready(page, six_items[1])
    expect(page.locator("[data-waiting-count]")).to_contain_text("1")
    expect(page.locator("#failure")).to_contain_text("You are offline")
    assert not Decision.objects.exists()

    page.unroute("**/decide")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("[data-waiting-count]")).to_be_hidden()
    assert Decision.objects.get().label == "b"
    ready(page, six_items[1])


def test_it_keeps_a_decision_whose_page_is_left_before_the_answer(
    page: Page, six_items: list[Annotation], open_item: Open
) -> None:
    page.route("**/decide", lambda route: None, times=1)
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    ready(page, six_items[1])
    open_item(page, six_items[2])
    expect(page.locator("[data-waiting-count]")).to_be_hidden()
    assert Decision.objects.get().label == "b"


def test_it_waits_for_an_item_that_is_still_loading(
    window: Window, open_item: Open, alice: User, six_items: list[Annotation]
) -> None:
    page = window(alice)
    loads = Held(page, "**/annotations/ahead?*")
    open_item(page, six_items[0])
    loads.wait_for(1)
    page.keyboard.press("Control+Enter")
    # The item is decided: it takes no second submit.
    page.keyboard.press("Control+Enter")
    expect(page.locator("#recent li", has_text="Item 1")).to_be_attached()
    loads.let_go()
    ready(page, six_items[1])
    expect(page.locator("#live")).to_have_text(re.compile("^Saved.*Item 2"))
    assert Decision.objects.count() == 1


def test_it_undoes_the_decision_that_is_still_on_its_way(
    page: Page, six_items: list[Annotation]
) -> None:
    submits = Held(page, "**/decide")
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    ready(page, six_items[1])
    page.keyboard.press("Control+z")
    submits.wait_for(1)
    submits.let_go()
    ready(page, six_items[0])
    expect(page.locator("#live")).to_contain_text("Undone. Nothing was sent.")


def test_it_skips_and_walks_without_a_wait(page: Page, six_items: list[Annotation]) -> None:
    page.keyboard.press("s")
    ready(page, six_items[1])
    expect(page.locator(".bar-message")).to_contain_text("Skipped.")
    at_hand(page, six_items[2])
    assert SetAside.objects.get().annotation == six_items[0]
    page.keyboard.press("j")
    ready(page, six_items[2])
    at_hand(page, six_items[3])
    held = Lease.objects.order_by("annotation__confidence")
    assert [lease.annotation_id for lease in held] == [six_items[2].pk, six_items[3].pk]


def test_it_never_shows_an_item_whose_lease_has_lapsed(
    page: Page, six_items: list[Annotation]
) -> None:
    page.clock.install()
    page.clock.fast_forward("09:45")
    Annotation.objects.filter(pk=six_items[1].pk).update(status="gone")
    page.keyboard.press("Control+Enter")
    ready(page, six_items[2])


def test_it_gives_the_next_item_back_on_leaving(page: Page, six_items: list[Annotation]) -> None:
    assert Lease.objects.get(annotation=six_items[1]).is_prefetched
    page.locator(".top-nav a").first.click()
    while Lease.objects.filter(annotation=six_items[1]).exists():
        page.wait_for_timeout(10)


def test_it_goes_on_behind_an_item_that_somebody_else_has_opened(
    page: Page, six_items: list[Annotation], bob: User, window: Window, open_item: Open
) -> None:
    other = window(bob)
    without_next_item(other.context)
    open_item(other, six_items[1])
    assert Lease.objects.get(annotation=six_items[1]).holder == bob
    page.keyboard.press("Control+Enter")
    ready(page, six_items[2])
    expect(page.locator("#failure")).to_contain_text("bob opened the next item first")
    assert Decision.objects.count() == 1


def test_it_renews_both_leases(page: Page, six_items: list[Annotation]) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    Lease.objects.update(until=soon)
    with page.expect_response("**/lease"):
        page.get_by_role("button", name="Extend").click()
    expect(page.locator("#live")).to_have_text("Reserved for 10 more minutes")
    assert not Lease.objects.filter(until__lte=soon).exists()


def test_it_loads_the_pictures_of_the_next_item_once(
    window: Window, open_item: Open, alice: User
) -> None:
    retriever = make_retriever()
    items = []
    for number in range(3):
        blob = {"url": f"https://files.example.com/{number}.png", "field": "picture"}
        snapshot = {"title": f"Item {number}", "document_blobs": [blob]}
        result = make_result(retriever, snapshot=snapshot)
        values = {"document_id": result.document_id, "result": result, "title": f"Item {number}"}
        items.append(make_annotation(retriever, label="a", confidence=0.1 * (number + 1), **values))

    page = window(alice)
    requested: list[str] = []

    def answer(route: Route) -> None:
        requested.append(route.request.url.split("/documents/")[1].split("/")[0])
        headers = {"Content-Type": "image/png", "Cache-Control": "private, no-store"}
        route.fulfill(body=DOT, headers=headers)

    page.context.route("**/media/**", answer)
    open_item(page, items[0])
    at_hand(page, items[1])
    page.locator("[data-action=submit]").click()
    ready(page, items[1])
    picture = page.locator(".medium-what")
    expect(picture).to_have_js_property("naturalWidth", 1)
    at_hand(page, items[2])
    page.wait_for_load_state("networkidle")
    assert requested == [item.document_id for item in items]


def test_it_decides_nothing_that_was_not_painted(page: Page, six_items: list[Annotation]) -> None:
    # A key at the moment in which the next item comes into the page.
    page.evaluate(
        """() => document.addEventListener("htmx:load", (event) => {
            if (event.target.id !== "review") return;
            const init = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", init));
        })"""
    )
    page.keyboard.press("Control+Enter")
    ready(page, six_items[1])
    expect(page.get_by_text("A key was pressed while this item was loading")).to_be_visible()
    expect(page.locator("#recent li", has_text="Item 1")).to_be_attached()
    assert Decision.objects.count() == 1


def test_it_keeps_a_label_that_was_chosen_before_the_scripts_came(
    window: Window, alice: User, six_items: list[Annotation], live_server: LiveServer
) -> None:
    page = window(alice)
    Held(page, "**/*.js*")
    url = f"{live_server.url}/annotations/{six_items[0].pk}"
    page.goto(url, wait_until="commit")
    page.locator('[name=choice][value="b"]').check()
    page.unroute("**/*.js*")
    ready(page, six_items[0])
    expect(page.locator('[name=choice][value="b"]')).to_be_checked()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".bar-message")).to_contain_text("Saved.")
    assert Decision.objects.get().label == "b"
