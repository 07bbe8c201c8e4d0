"""Many items decided at once from the queue, by keys and by mouse."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from reviewapp.annotations.batches import services
from reviewapp.annotations.models import Annotation, Batch
from tests.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_decides_the_selected_rows_together_by_keys(
    desk: Desk, alice: User, items: list[Annotation]
) -> None:
    desk.sign_in(alice)
    desk.open("/annotations")
    page, bar = desk.page, desk.page.locator("#batch_bar")
    boxes = page.locator("#queue [name=item]")
    expect(bar).not_to_be_visible()

    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar.get_by_text("1 row selected")).to_be_visible()
    page.keyboard.press("Shift+J")
    expect(bar.get_by_text("2 rows selected")).to_be_visible()
    expect(page.locator("#live")).to_have_text("2 rows selected")
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Escape")
    expect(bar).not_to_be_visible()

    # By mouse: from the first to the last one.
    boxes.first.click()
    boxes.last.click(modifiers=["Shift"])
    expect(bar.get_by_text("3 rows selected")).to_be_visible()
    boxes.nth(1).click()
    expect(bar.get_by_text("2 rows selected")).to_be_visible()

    bar.get_by_label("Set label").fill("van")
    bar.get_by_label("Set confidence").fill("0.9")
    bar.get_by_label("Set confidence").press("Enter")
    expect(page.get_by_role("heading", name="What happens to 2 items")).to_be_visible()
    expect(page.locator(".row-link")).to_have_text(["Item 1", "Item 3"])
    page.get_by_role("button", name="Decide 2 items").click()
    expect(page.get_by_text("In progress; you may leave this page")).to_be_visible()
    services.run_unfinished()
    # The page polls until the batch is finished.
    expect(page.get_by_text("Finished")).to_be_visible()
    expect(page.get_by_role("button", name="Undo all 2 decisions")).to_be_visible()
    assert re.fullmatch(r"/batches/\d+", desk.address)
    assert desk.complaints == []
    assert list(Batch.objects.values_list("label", "confidence")) == [("van", 0.9)]
    labels = Annotation.objects.order_by("pk").values_list("label", flat=True)
    assert list(labels) == ["van", "b", "van"]
