"""The banner of an open page appears when delivery stops and goes when it resumes."""

from __future__ import annotations

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from tests.desk import Open, Window, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BANNER = "#pause .banner"
# What the page does by itself every eight seconds.
ASK = "const news = document.getElementById('news'); htmx.ajax('GET', news.getAttribute('hx-get'), {source: news})"


def _beat(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _worker(*, comes: bool) -> None:
    if comes:
        _beat(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (clock_timestamp() + interval '1 hour')"
        )
    else:
        _beat("DELETE FROM procrastinate_workers")


def _where(page: Page) -> float:
    return float(page.evaluate("document.getElementById('reasoning').getBoundingClientRect().top"))


@pytest.mark.parametrize("width", [1280, 360])
def test_it_comes_and_goes_and_moves_nothing_that_somebody_types_in(
    window: Window, open_item: Open, alice: User, items: list[Annotation], width: int
) -> None:
    _worker(comes=True)
    page = window(alice, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    open_item(page, items[0])
    page.locator("#reasoning").focus()
    page.keyboard.type("Half ")
    place = _where(page)
    expect(page.locator(BANNER)).to_have_count(0)
    _worker(comes=False)
    page.evaluate(ASK)
    expect(page.locator(BANNER)).to_contain_text("No worker is running.")
    expect(page.locator(BANNER)).to_be_in_viewport()
    assert _where(page) == place
    page.keyboard.type("a word")
    expect(page.locator("#reasoning")).to_have_value("Half a word")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    page.locator("#reasoning").focus()
    place = _where(page)
    _worker(comes=True)
    page.evaluate(ASK)
    expect(page.locator(BANNER)).to_have_count(0)
    assert _where(page) == place
    page.keyboard.press("Control+Enter")
    ready(page, items[2])
    expect(page.locator("#pause")).to_have_js_property("offsetHeight", 0)
