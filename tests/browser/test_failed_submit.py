"""After a failed submit, typing is still saved, and the waiting submit names its item."""

from __future__ import annotations

import itertools
import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.outbox.models import Change
from tests.desk import Open, Window, put_in_use, ready
from tests.factories import LONG_AGO

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]
SAVED = re.compile("Draft saved on the server")


@pytest.mark.parametrize("status", [500, 403])
def test_it_goes_on_saving_what_was_typed(
    window: Window, open_item: Open, alice: User, items: list[Annotation], status: int
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.route("**/decide", lambda route: route.fulfill(status=status, body="no"))
    page.fill("#reasoning", "Typed just before")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#failure")).to_be_visible()
    expect(page.locator("[data-draft-state]")).to_have_text(SAVED)
    assert Draft.objects.get().typed["reasoning"] == "Typed just before"
    page.unroute("**/decide")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    assert not Draft.objects.exists()


def test_it_queues_and_keeps_what_a_server_without_its_database_answers(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    # The page tries again by itself too, so any number of times.
    statuses = itertools.cycle([503, 500])
    page.route("**/decide", lambda route: route.fulfill(status=next(statuses)))
    page.fill("#reasoning", "Kept")
    page.keyboard.press("Control+Enter")
    chip = page.locator("[data-waiting-count]")
    expect(chip).to_contain_text("1 unsent decision")
    for _ in range(2):
        with page.expect_response("**/decide"):
            page.evaluate("window.dispatchEvent(new Event('online'))")
        expect(chip).to_contain_text("1 unsent decision")
    page.unroute("**/decide")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    ready(page, items[1])
    expect(chip).to_be_hidden()
    assert Decision.objects.get().reasoning == "Kept"


def test_it_opens_the_item_that_was_shown_when_an_undo_came_too_late(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    User.objects.filter(pk=alice.pk).update(undo_seconds=60)
    put_in_use(items, "first")
    page = window(alice)
    open_item(page, items[0])
    page.fill("#label", "first")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    Change.objects.update(claimed_at=LONG_AGO)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    ready(page, items[0])
    here = reverse("review", args=[items[0].pk])
    expect(page).to_have_url(re.compile(rf"{here}$"))
    page.context.set_offline(True)
    page.fill("#reasoning", "Of the first")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#waits")).to_be_visible()
    assert page.locator("#waiting li a").get_attribute("href") == here
