"""A change that Mixpeek does not take is told where its person works, without a page load."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from tests.desk import Open, Window, put_in_use, ready
from tests.factories import LONG_AGO, settle_as_conflict

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# What the page does by itself every few seconds.
ASK = (
    "(element) => htmx.ajax('GET', element.getAttribute('hx-get'), {source: element, swap: 'none'})"
)
TOAST, BADGE, CHIP = "#attention_toast", "#attention_count", "#recent_list .chip"


def conflict_with(annotation: Annotation) -> None:
    change = Change.objects.get(ref=annotation.ref)
    theirs = {"label": "b"}
    settle_as_conflict(change, theirs=theirs, reason="The label was changed at Mixpeek")


def test_it_comes_to_the_item_that_is_open(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    put_in_use(items, "hers")
    page = window(alice)
    open_item(page, items[0])
    page.fill("#label", "hers")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    page.fill("#reasoning", "Half a word")
    place = page.locator("#reasoning").bounding_box()
    expect(page.locator(BADGE)).to_have_text("")

    conflict_with(items[0])
    page.locator("#news").evaluate(ASK)
    expect(page.locator(TOAST)).to_contain_text(f"did not take your change to “{items[0].title}”")
    expect(page.locator(BADGE)).to_contain_text("1")
    assert page.locator("#reasoning").bounding_box() == place
    expect(page.locator("#reasoning")).to_be_focused()
    page.locator(".bar [popovertarget=recent]").click()
    expect(page.locator(CHIP).first).to_have_text("Conflict")
    page.keyboard.press("Escape")

    page.locator("[data-close-toast]").click()
    expect(page.locator(f"{TOAST} .banner")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    ready(page, items[2])
    expect(page.locator(BADGE)).to_contain_text("1")
    expect(page.locator(f"{TOAST} .banner")).to_have_count(0)


def test_it_comes_to_every_other_page(
    window: Window, alice: User, items: list[Annotation], live_server: object
) -> None:
    Change.objects.create(ref=items[0].ref, fields={"label": "b"}, due=LONG_AGO)
    page = window(alice)
    page.goto(f"{live_server}/annotations")
    expect(page.locator(BADGE)).to_have_text("")
    conflict_with(items[0])
    page.locator("[hx-get$='/outbox/updates']").evaluate(ASK)
    expect(page.locator(BADGE)).to_contain_text("1")
