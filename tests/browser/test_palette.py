"""The command palette in a real browser: what it finds, and what it does, by keys alone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from tests.desk import Desk, ready
from tests.factories import make_annotation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_goes_to_pages_and_items_by_the_letters_that_are_typed(desk: Desk, alice: User) -> None:
    item = make_annotation(title="Blue van in Lyon")
    desk.sign_in(alice)
    desk.open("/attention")
    page = desk.page
    palette, field = page.locator("#palette"), page.get_by_role("combobox", name="Search pages")
    options = palette.get_by_role("option")

    page.locator("nav a", has_text="Deliveries").focus()
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    expect(palette.get_by_role("status")).to_have_text(re.compile(r"^\d+ matches$"))
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Escape")
    expect(palette).not_to_be_visible()
    expect(page.locator("nav a", has_text="Deliveries")).to_be_focused()

    page.keyboard.press("Control+k")
    field.press_sequentially("bluly")
    expect(options).to_have_count(0)
    expect(palette.get_by_role("status")).to_contain_text("Nothing matches")
    field.fill("blue lyo")
    expect(options).to_contain_text(["Blue van in Lyon"])
    # Letters in a row count more than the starts of words ("My decisions corrected by others").
    field.fill("dec")
    expect(options.first.locator(".palette-title")).to_have_text("My decisions")
    expect(options.first.locator("mark")).to_have_text(["dec"])
    field.fill("prf")
    expect(options.first.locator("mark")).to_have_text(["Pr", "f"])
    field.press("Enter")
    page.wait_for_url("**/preferences")

    page.keyboard.press("Control+k")
    field.fill(f"#{item.pk}")
    expect(options.filter(has_text="Blue van in Lyon")).to_be_visible()
    field.press("Enter")
    page.wait_for_url(f"**/annotations/{item.pk}")
    assert desk.complaints == []


def test_it_carries_out_what_the_page_has_keys_for(
    desk: Desk, alice: User, items: list[Annotation]
) -> None:
    desk.sign_in(alice)
    desk.open(f"/annotations/{items[0].pk}")
    page = desk.page
    ready(page, items[0])
    field = page.get_by_role("combobox", name="Search pages")
    options = page.locator("#palette").get_by_role("option")

    page.locator("#reasoning").press("Control+k")
    field.fill("raise conf")
    expect(options.first).to_contain_text("Raise the confidence by 0.05")
    expect(options.first.locator("kbd")).to_have_text("]")
    field.press("Enter")
    expect(page.locator("#palette")).not_to_be_visible()
    expect(page.locator("#confidence")).not_to_have_value("")

    page.keyboard.press("Control+k")
    field.fill("dark")
    field.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.keyboard.press("Control+k")
    field.fill("skip: leave")
    field.press("Enter")
    expect(page.locator("h1")).to_have_text("Item 2")
    assert desk.complaints == []


def test_it_says_that_there_is_no_connection_and_goes_on_when_it_does(
    desk: Desk, alice: User
) -> None:
    make_annotation(title="Blue van in Lyon")
    desk.sign_in(alice)
    desk.open("/annotations")
    page = desk.page
    palette = page.locator("#palette")
    field = page.get_by_role("combobox", name="Search pages")

    def fail(route: Route) -> None:
        route.abort()

    page.route("**/palette?*", fail)
    page.get_by_role("button", name="Go to").click()
    expect(palette.get_by_role("status")).to_contain_text("No connection")
    # What the page can do by itself is offered all the same.
    expect(palette.get_by_role("option").filter(has_text="Search the queue")).to_be_visible()
    page.unroute("**/palette?*", fail)
    field.fill("lyon")
    expect(palette.get_by_role("option").first).to_contain_text("Blue van in Lyon")
    field.press("ArrowUp")
    expect(field).to_have_attribute("aria-activedescendant", re.compile("palette-choice-"))
