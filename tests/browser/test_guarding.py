"""The editors of admins in a real browser ask before unsaved changes are left."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.retrievers.models import Retriever
from tests.desk import Window

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def staying(page: Page) -> list[str]:
    """Answer every question with "stay", and return the list in which they are kept."""
    questions: list[str] = []

    def answer(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", answer)
    return questions


def click_away(page: Page, words: str = "Queue") -> None:
    page.get_by_role("link", name=words, exact=True).first.click(no_wait_after=True)


@pytest.mark.parametrize(
    ("editor", "field"), [("guidelines", "#text"), ("label_set", "[name=value]")]
)
def test_it_asks_before_what_was_typed_is_left(
    window: Window,
    live_server: LiveServer,
    adam: User,
    retriever: Retriever,
    editor: str,
    field: str,
) -> None:
    page, address = window(adam), live_server.url + reverse(editor, args=[retriever.pk])
    questions = staying(page)
    page.goto(address)
    page.locator(field).first.click()
    page.keyboard.type("Half a thought")
    with page.expect_event("dialog"):
        click_away(page)
    expect(page.locator(field).first).to_have_value("Half a thought")
    assert (questions, page.url) == (["beforeunload"], address)
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.locator("#retriever")).to_be_visible()
    assert questions == ["beforeunload"]
    click_away(page)
    expect(page.locator("#queue")).to_be_visible()
    assert questions == ["beforeunload"]


def test_it_asks_for_rows_that_only_moved_and_for_a_text_that_was_only_looked_at(
    window: Window, live_server: LiveServer, adam: User, retriever: Retriever
) -> None:
    page = window(adam)
    questions = staying(page)
    page.goto(live_server.url + reverse("label_set", args=[retriever.pk]))
    page.get_by_role("button", name="Add label").click()
    with page.expect_event("dialog"):
        click_away(page)
    other = window(adam)
    asked_there = staying(other)
    other.goto(live_server.url + reverse("guidelines", args=[retriever.pk]))
    other.fill("#text", "**Twice**")
    other.get_by_role("button", name="Preview").click()
    expect(other.locator(".guidelines strong")).to_have_text("Twice")
    other.locator("#text").click()
    with other.expect_event("dialog"):
        click_away(other)
    assert questions == asked_there == ["beforeunload"]


def test_it_asks_before_the_form_in_place_is_swapped_or_left(
    window: Window, live_server: LiveServer, adam: User, retriever: Retriever
) -> None:
    page = window(adam)
    questions = staying(page)
    page.goto(live_server.url + reverse("retriever", args=[retriever.pk]))
    page.get_by_role("link", name="Edit", exact=True).click()
    page.locator("#edit_name").fill("Renamed")
    with page.expect_event("dialog"):
        click_away(page, "Cancel")
    expect(page.locator("#edit_name")).to_have_value("Renamed")
    with page.expect_event("dialog"):
        click_away(page)
    assert questions == ["confirm", "beforeunload"]
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#details h1")).to_have_text("Renamed")
    click_away(page)
    expect(page.locator("#queue")).to_be_visible()
    assert questions == ["confirm", "beforeunload"]


def test_it_asks_nothing_where_nothing_was_typed(
    window: Window, live_server: LiveServer, adam: User, retriever: Retriever
) -> None:
    page = window(adam)
    questions = staying(page)
    for editor in ("guidelines", "label_set", "edit_retriever"):
        page.goto(live_server.url + reverse(editor, args=[retriever.pk]))
        page.locator("form[data-guards] input:visible, form[data-guards] textarea").first.click()
        click_away(page)
        expect(page.locator("#queue")).to_be_visible()
    assert questions == []
