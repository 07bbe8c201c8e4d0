"""Somebody else changes the item that a person has open: the page says so, and no word is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.mixpeek.client import Client
from reviewapp.sync.listen import hints
from reviewapp.sync.models import Hint
from tests.desk import Window
from tests.sync.conftest import box, mixpeek_client, shared_box
from tests.tools.sandbox.running import Box

__all__ = ["box", "mixpeek_client", "shared_box"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Foreign = Callable[..., None]


@pytest.fixture
def foreign(box: Box, mixpeek_client: Client) -> Foreign:
    """Return a function that does something at Mixpeek, of which a hint tells us."""

    def act(method: str, **values: object) -> None:
        annotation_id = Annotation.objects.get().annotation_id
        assert annotation_id
        box.call(method, f"/v1/annotations/{annotation_id}", json=values or None)
        hints.enqueue_hints([annotation_id], Hint.Source.WEBHOOK)
        assert hints.follow(mixpeek_client) == 1

    return act


@pytest.fixture
def open_page(
    box: Box, mixpeek_client: Client, window: Window, alice: User, live_server: LiveServer
) -> Page:
    """The one item there is, open before Alice."""
    created = box.call(
        "POST", "/v1/annotations", json={"document_id": "doc_9", "label": "van", "reasoning": "so"}
    ).json()
    absorb.absorb([mixpeek_client.get_annotation(created["annotation_id"])])
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[Annotation.objects.get().pk]))
    expect(page.locator("#review[data-ready]")).to_be_visible()
    return page


def test_it_says_what_changed_and_brings_it_into_the_form(
    open_page: Page, foreign: Foreign
) -> None:
    page = open_page
    page.fill("#reasoning", "my own words")
    foreign("PATCH", label="lorry")
    expect(page.locator("#news .banner")).to_contain_text("This item has changed.")
    expect(page.locator("#news .diff-new")).to_have_text("lorry")
    expect(page.locator("#live")).to_contain_text("has just changed the label")
    expect(page.locator("#reasoning")).to_have_value("my own words")
    page.get_by_role("button", name="Load the current values").click()
    expect(page.locator("#news .banner")).to_have_count(0)
    expect(page.locator('[name=choice][value="lorry"]')).to_be_checked()
    expect(page.locator("#reasoning")).to_have_value("my own words")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/annotations$"))
    decision = Decision.objects.get()
    assert (decision.label, decision.reasoning) == ("lorry", "my own words")


def test_it_asks_whose_value_stands_before_anything_is_submitted(
    open_page: Page, foreign: Foreign
) -> None:
    page = open_page
    page.fill("#reasoning", "my own words")
    foreign("PATCH", reasoning="their words")
    page.get_by_role("button", name="Load the current values").click()
    expect(page.locator("#stale")).to_contain_text("their words")
    expect(page.locator("#reasoning")).to_have_value("my own words")
    expect(page.locator("[name=keep_reasoning][value=mine]")).to_be_focused()
    expect(page.locator("[name=keep_reasoning]:checked")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#stale")).to_contain_text("Choose yours or theirs.")
    expect(page.locator("[name=keep_reasoning][value=mine]")).to_be_focused()
    expect(page.locator("#review[data-ready=yes]")).to_be_visible()
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/annotations$"))
    assert Decision.objects.get().reasoning == "my own words"


def test_it_switches_off_deciding_what_is_gone(open_page: Page, foreign: Foreign) -> None:
    page = open_page
    page.fill("#reasoning", "my own words")
    foreign("DELETE")
    expect(page.locator("#news .banner")).to_contain_text("Gone upstream.")
    expect(page.locator("[data-action=submit]")).to_be_disabled()
    expect(page.locator("[data-action=cannot_tell]")).to_be_disabled()
    expect(page.locator("#reasoning")).to_have_value("my own words")
