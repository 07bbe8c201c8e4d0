"""The queue in a real browser: live filters; nothing is lost with the session or the network."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from reviewapp.accounts.models import User
from tests.desk import Desk
from tests.factories import LONG_AGO, make_annotation, make_change, make_lease, make_retriever
from tests.proofs import long

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_follows_filters_into_the_address_and_back(desk: Desk, alice: User) -> None:
    make_annotation(title="van", words="a blue van", confidence=0.9)
    make_annotation(title="car", words="a red car", status="decided")
    desk.sign_in(alice)
    desk.open("/annotations")
    page, rows = desk.page, desk.page.locator(".row-link")
    page.locator("#id_q").press_sequentially("red")
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    expect(page.locator("#id_q")).to_be_focused()
    # A slow browser searches for the first letters too.
    page.wait_for_url("**/annotations?q=red")
    page.get_by_role("link", name="Decided").click()
    expect(rows).to_have_text(["car"])
    page.get_by_label("Order").select_option("oldest")
    expect(page.get_by_label("Order")).to_have_value("oldest")
    page.wait_for_url("**/annotations?show=decided&q=red&sort=oldest")
    page.go_back()
    page.wait_for_url("**/annotations?show=decided&q=red")
    expect(rows).to_have_text(["car"])
    expect(page.get_by_label("Order")).to_have_value("")
    expect(page.locator("#id_q")).to_have_value("red")
    assert desk.complaints == []
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_choice_counts_as_soon_as_the_new_list_is_there(desk: Desk, alice: User) -> None:
    make_annotation(title="car", status="decided")
    desk.sign_in(alice)
    desk.open("/annotations")
    desk.page.evaluate(
        """() => document.addEventListener("htmx:afterSwap", () => queueMicrotask(() => {
          const order = document.getElementById("id_sort");
          order.value = "oldest";
          order.dispatchEvent(new Event("change", { bubbles: true }));
        }), { once: true })"""
    )
    desk.page.get_by_role("link", name="Decided").click()
    desk.page.wait_for_url("**/annotations?show=decided&sort=oldest")


def test_it_opens_an_item_by_a_slow_click_right_after_a_search(desk: Desk, alice: User) -> None:
    item = make_annotation(title="van", words="a blue van")
    desk.sign_in(alice)
    desk.open("/annotations")
    page = desk.page
    requests: list[str] = []
    page.locator("#id_q").press_sequentially("blue")
    page.wait_for_url("**/annotations?q=blue")
    page.on(
        "request",
        lambda request: requests.append(request.url) if "/annotations?" in request.url else None,
    )
    page.get_by_role("link", name="van").hover()
    page.mouse.down()
    # The button is down for as long as an answer takes: nothing may be asked that exchanges the
    # list under it.
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    assert requests == []
    page.mouse.up()
    page.wait_for_url(f"**/annotations/{item.pk}?q=blue")


def test_it_minds_what_is_typed_when_another_part_is_chosen_at_once(
    desk: Desk, alice: User
) -> None:
    make_annotation(title="yes", label="yes", status="decided")
    make_annotation(title="no", label="no", status="decided")
    desk.sign_in(alice)
    desk.open("/annotations?sort=oldest")
    desk.page.get_by_label("Label", exact=True).fill("yes")
    desk.page.get_by_role("link", name="Decided").click()
    expect(desk.page.locator(".row-link")).to_have_text(["yes"])
    desk.page.wait_for_url("**/annotations?show=decided&label=yes&sort=oldest")


def test_it_starts_with_the_list_on_the_screen(desk: Desk, alice: User) -> None:
    make_annotation(title="first", label="no", confidence=0.1)
    make_annotation(title="second", label="yes", confidence=0.2)
    desk.sign_in(alice)
    desk.open("/annotations")
    start = desk.page.get_by_role("link", name="Start reviewing")
    expect(start).to_have_attribute("href", "/annotations/next")
    desk.page.get_by_label("Label", exact=True).fill("ye")
    expect(start).to_have_attribute("href", "/annotations/next?label=yes")
    desk.page.get_by_label("Order").select_option("newest")
    expect(start).to_have_attribute("href", "/annotations/next?label=yes&sort=newest")


def test_it_says_aloud_how_much_is_shown(desk: Desk, alice: User) -> None:
    make_annotation(label="logo")
    desk.sign_in(alice)
    desk.open("/annotations")
    desk.page.get_by_label("Confidence", exact=True).select_option("middle")
    expect(desk.page.locator("#live")).to_have_text("1 annotation shown")


def test_it_keeps_what_was_typed_when_the_session_ends_and_goes_on_after_signing_in(
    desk: Desk, alice: User
) -> None:
    desk.sign_in(alice)
    desk.open("/annotations")
    desk.context.clear_cookies()
    page = desk.page
    page.locator("#id_q").fill("typed")
    expect(page.get_by_role("alert")).to_contain_text("You were signed out.")
    expect(page.locator("#id_q")).to_have_value("typed")
    expect(page.locator("#queue")).to_be_visible()
    desk.sign_in(alice)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("alert")).to_contain_text("You are signed in again.")
    page.locator("#id_q").press("Enter")
    page.wait_for_url("**/annotations?q=typed")
    expect(page.locator("#failure")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (500, "Something went wrong on the server."),
        (502, "No connection."),
        (403, "You do not have access to this."),
        (404, "This no longer exists."),
        (429, "Too many requests."),
        (0, "No connection."),
    ],
)
def test_it_says_what_a_request_could_not_do_and_swaps_nothing(
    desk: Desk, alice: User, status: int, sentence: str
) -> None:
    def answer(route: Route) -> None:
        if status:
            route.fulfill(status=status, body="<h1>Bad gateway</h1>", content_type="text/html")
        else:
            route.abort()

    make_annotation(title="still here")
    desk.sign_in(alice)
    desk.open("/annotations")
    desk.page.route("**/annotations?*", answer)
    desk.page.get_by_role("link", name="Mine").click()
    expect(desk.page.get_by_role("alert")).to_contain_text(sentence)
    expect(desk.page.locator(".row-link")).to_have_text(["still here"])
    desk.page.get_by_role("button", name="Dismiss").click()
    expect(desk.page.locator("#failure")).to_be_hidden()


@pytest.mark.parametrize("desk", [{"java_script_enabled": False}], indirect=True)
def test_it_works_without_javascript(desk: Desk, alice: User) -> None:
    make_annotation(make_retriever("Brand"), title="brand")
    make_annotation(make_retriever("Other"), title="other")
    desk.sign_in(alice)
    desk.open("/annotations?show=all")
    desk.page.get_by_label("Retriever").select_option("Brand")
    desk.page.get_by_label("Order").select_option("newest")
    desk.page.get_by_role("button", name="Apply").click()
    expect(desk.page.locator(".row-link")).to_have_text(["brand"])
    expect(desk.page.get_by_label("Order")).to_have_value("newest")
    assert "show=all" in desk.address


@pytest.mark.parametrize("desk", [{"timezone_id": "America/New_York"}], indirect=True)
def test_it_shows_instants_in_the_zone_of_the_reader(desk: Desk, alice: User) -> None:
    make_annotation(created_at=LONG_AGO)
    desk.sign_in(alice)
    desk.open("/annotations")
    time = desk.page.locator(".row-time time")
    expect(time).to_contain_text("ago")
    # The words around it vary with the browser's edition.
    assert re.search(r"1 January 2026 .*22:04:05 (GMT-5|EST)", str(time.get_attribute("title")))


@pytest.mark.parametrize("desk", [{"color_scheme": "dark"}], indirect=True)
def test_it_follows_the_system_and_its_changes(desk: Desk, alice: User) -> None:
    desk.sign_in(alice)
    desk.open("/annotations")
    page = desk.page.locator("body")
    expect(page).to_have_css("background-color", "rgb(17, 19, 24)")
    desk.page.emulate_media(color_scheme="light")
    expect(page).to_have_css("background-color", "rgb(246, 247, 249)")


@pytest.mark.parametrize(
    "desk",
    [
        long({"color_scheme": "light"}),
        long({"color_scheme": "dark"}),
        {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
    ],
    indirect=True,
)
def test_it_is_accessible_and_never_wider_than_the_window(
    desk: Desk, lena: User, bob: User
) -> None:
    decided: dict[str, Any] = {
        "status": "decided",
        "reviewer": bob,
        "decided_at": LONG_AGO,
        "proposed": {"label": "x"},
    }
    make_change(make_annotation(title="word " * 30, label="label_" * 15, **decided))
    make_change(make_annotation(**decided), "refused")
    make_lease(make_annotation(confidence=None, title="مرحبا"), bob)
    desk.sign_in(lena)
    for address in (
        "/annotations?show=all&q=&band=x",
        "/annotations?show=all&sort=score",
        "/annotations?q=zebra",
    ):
        desk.open(address)
        results = Axe().run(desk.page)
        assert results.violations_count == 0, results.generate_report()
        assert desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_it_walks_through_the_list_and_into_the_search_by_keys(desk: Desk, alice: User) -> None:
    for number in (1, 2, 3):
        make_annotation(title=f"Item {number}", confidence=0.1 * number)
    alice.key_map = {"item_previous": "o"}
    alice.save()
    desk.sign_in(alice)
    desk.open("/annotations")
    page, rows = desk.page, desk.page.locator(".row-link")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("o")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#id_q")).to_be_focused()
    page.keyboard.type("jo")
    expect(page.locator("#id_q")).to_have_value("jo")


def test_it_opens_an_item_by_keys_and_takes_none_that_are_switched_off(
    desk: Desk, alice: User
) -> None:
    item = make_annotation(title="Item")
    desk.sign_in(alice)
    desk.open("/annotations")
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(f"**/annotations/{item.pk}")

    alice.single_keys = False
    alice.save()
    desk.open("/annotations")
    desk.page.keyboard.press("j")
    expect(desk.page.locator(".row-link")).not_to_be_focused()


@pytest.mark.parametrize("desk", [{"viewport": {"width": 1280, "height": 240}}], indirect=True)
def test_it_shows_its_keys_scrolls_them_and_closes_them_by_keys(desk: Desk, alice: User) -> None:
    make_annotation(title="Item")
    alice.key_map = {"sheet": "y", "item_next": "n"}
    alice.save()
    desk.sign_in(alice)
    desk.open("/annotations")
    page, sheet = desk.page, desk.page.locator("#keys")
    expect(page.get_by_role("button", name="Keys")).to_contain_text("Y")
    page.keyboard.press("n")
    page.keyboard.press("y")
    expect(sheet.get_by_role("row", name="N Next row")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.getElementById('keys').scrollTop > 0")
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator(".row-link")).to_be_focused()
