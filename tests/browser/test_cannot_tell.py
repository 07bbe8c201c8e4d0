"""Can't tell: entered, shown, submitted and left, by keys, by mouse and without scripts."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.outbox.models import Change
from tests.desk import Open, Window, ready

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]

WHY = "Too dark; x marks nothing."
SUBMIT = "[data-action=submit]"
IN_STATE = re.compile("Submit “can't tell”")
OUT_OF_STATE = re.compile("Submit and next")


def in_state(page: Page) -> None:
    """Wait until the form says that no label but "can't tell" is what it submits."""
    expect(page.locator(SUBMIT)).to_contain_text(IN_STATE, use_inner_text=True)
    expect(page.locator("#cannot-tell-note")).to_be_visible()
    expect(page.get_by_text("not submitted", exact=True)).to_be_visible()


def out_of_state(page: Page) -> None:
    """Wait until the form submits its label."""
    expect(page.locator(SUBMIT)).to_contain_text(OUT_OF_STATE, use_inner_text=True)
    expect(page.locator("#cannot-tell-note")).to_be_hidden()


def could_not_tell(item: Annotation) -> None:
    """Check that the item was decided so, and that Mixpeek is to be told of it."""
    decision = Decision.objects.get()
    assert (decision.annotation_id, decision.outcome, decision.reasoning) == (
        item.pk,
        "undecidable",
        WHY,
    )
    change = Change.objects.get()
    assert (change.verb, change.cause) == ("cannot_tell", decision.decision_id)


def test_it_submits_by_ctrl_enter_what_x_began(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.keyboard.press("x")
    in_state(page)
    expect(page.locator("#reasoning")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("Write why you can't tell")
    page.keyboard.type(WHY)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    out_of_state(page)
    could_not_tell(items[0])


def test_it_leaves_the_state_by_escape_and_then_submits_the_label(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.keyboard.press("x")
    page.keyboard.type(WHY)
    page.keyboard.press("Escape")
    out_of_state(page)
    expect(page.locator("[name=choice]:checked")).to_be_focused()
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    assert Decision.objects.get().outcome == "decided"


def test_it_leaves_the_state_when_a_label_is_chosen(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    enter = page.locator("[data-action=cannot_tell]")

    enter.click()
    page.locator("#label").focus()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("1")
    out_of_state(page)

    enter.click()
    in_state(page)
    page.locator('.label-button:has([value="b"])').click()
    out_of_state(page)

    enter.click()
    in_state(page)
    page.fill("#label", "c")
    out_of_state(page)


def test_it_is_entered_submitted_and_left_by_the_mouse_also_after_an_error(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.locator("[data-action=cannot_tell]").click()
    page.locator("[data-leave-cannot-tell]").click()
    out_of_state(page)
    page.locator("[data-action=cannot_tell]").click()
    page.locator(SUBMIT).click()
    expect(page.locator("#reasoning-error")).to_have_text(
        "Write why you can't tell, for the next reviewer."
    )
    ready(page, items[0])
    in_state(page)
    assert not Decision.objects.exists()
    page.fill("#reasoning", WHY)
    page.locator(SUBMIT).click()
    ready(page, items[1])
    could_not_tell(items[0])


def test_it_is_still_in_the_state_after_a_reload(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.keyboard.press("x")
    page.keyboard.type(WHY)
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved on the server")
    assert Draft.objects.get().typed["outcome"] == "undecidable"
    page.reload()
    ready(page, items[0])
    in_state(page)
    expect(page.locator("#reasoning")).to_have_value(WHY)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    could_not_tell(items[0])


def test_it_is_still_in_the_state_when_only_this_browser_has_the_draft(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    page.context.route("**/draft", lambda route: route.abort())
    open_item(page, items[0])
    page.keyboard.press("x")
    page.keyboard.type(WHY)
    page.close(run_before_unload=False)
    again = page.context.new_page()
    open_item(again, items[0])
    in_state(again)
    expect(again.locator("#reasoning")).to_have_value(WHY)


def test_it_makes_no_draft_of_a_look_at_the_state(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    ready(page, items[1])
    assert not Draft.objects.exists()


def test_it_works_without_scripts(
    window: Window, live_server: LiveServer, alice: User, items: list[Annotation]
) -> None:
    page = window(alice, java_script_enabled=False)
    page.goto(live_server.url + reverse("review", args=[items[0].pk]))
    page.locator("[data-action=cannot_tell]").click()
    in_state(page)
    expect(page.locator("#reasoning-error")).to_be_visible()
    expect(page.get_by_role("button", name="Submit the label instead")).to_be_visible()
    expect(page.locator("[data-leave-cannot-tell]")).to_be_hidden()
    page.fill("#reasoning", WHY)
    page.locator(SUBMIT).click()
    expect(page.locator(f'#review[data-item="{items[1].pk}"]')).to_be_visible()
    could_not_tell(items[0])


def test_it_shows_the_delivery_and_reverts_it_by_undo(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    alice.undo_seconds = 0
    alice.save()
    page = window(alice)
    open_item(page, items[0])
    page.keyboard.press("x")
    page.keyboard.type(WHY)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    open_item(page, items[0])
    expect(page.locator("#delivery")).to_contain_text("Queued")
    expect(page.locator("#notices")).to_contain_text(WHY)

    # As a worker settles it; the chip asks again by itself.
    Change.objects.update(state="delivered", version=2, settled_at=timezone.now())
    expect(page.locator("#delivery")).to_contain_text("Can't tell, delivered v2")

    page.locator("#notices").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("will be told that “can't tell” no longer applies")).to_be_visible()
    expect(page.locator(".review-state")).to_contain_text("Waiting")
    expect(page.locator("#delivery")).to_contain_text("Queued")
    Change.objects.filter(verb="revert").update(
        state="delivered", version=3, settled_at=timezone.now()
    )
    expect(page.locator("#delivery")).to_contain_text("“Can't tell” reverted, delivered v3")
