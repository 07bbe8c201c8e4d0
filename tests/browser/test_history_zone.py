"""The history's From and Until use the reader's time zone; the URL keeps UTC."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.audit.models import Event
from tests.desk import Window

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_takes_and_shows_times_in_the_readers_zone(
    window: Window, live_server: LiveServer, lena: User
) -> None:
    page = window(lena, timezone_id="Asia/Tokyo")
    page.goto(f"{live_server.url}/history?since=2020-01-01T00:00:00")
    since, until = page.get_by_label("From"), page.get_by_label("Until")
    expect(since).to_have_value("2020-01-01T09:00")
    expect(page.locator("label[for=id_since]")).to_have_text("From (Asia/Tokyo)")
    until.fill("2020-06-02T08:30")
    until.blur()
    expect(page).to_have_url(
        re.compile(r"since=2020-01-01T00%3A00%3A00&until=2020-06-01T23%3A30%3A00$")
    )
    expect(page.locator("#events")).to_contain_text("No matching events")
    page.reload()
    expect(until).to_have_value("2020-06-02T08:30")


def test_it_finds_an_event_by_the_time_that_it_shows(
    window: Window, live_server: LiveServer, lena: User
) -> None:
    page = window(lena, timezone_id="America/St_Johns")
    page.goto(f"{live_server.url}/history")
    newest = Event.objects.newest()[0].at.isoformat()
    minute = page.evaluate(
        "(at) => { const d = new Date(at); d.setSeconds(0, 0);"
        " return new Date(d - d.getTimezoneOffset() * 60000).toISOString().slice(0, 16); }",
        newest,
    )
    page.get_by_label("From").fill(minute)
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#events .list-head")).to_contain_text("Filtered, newest first")
    expect(page.locator(f'#events time[datetime="{newest}"]')).to_be_visible()


def test_it_is_utc_and_says_so_without_scripts(
    window: Window, live_server: LiveServer, lena: User
) -> None:
    page = window(lena, timezone_id="Asia/Tokyo", java_script_enabled=False)
    page.goto(f"{live_server.url}/history?since=2020-01-01T02:00:00%2B02:00")
    expect(page.get_by_label("From")).to_have_value("2020-01-01T00:00")
    expect(page.locator("label[for=id_since]")).to_have_text("From (UTC)")
