"""Passkeys in a real browser: added, used as the second factor, and used alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from reviewapp.accounts.models import User
from tests.desk import Desk
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def with_a_fingerprint_reader(page: Page) -> None:
    """Give the browser an authenticator that says yes to everything."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    reader = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
    }
    always = {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**reader, **always}})


def sign_out(page: Page) -> None:
    page.context.clear_cookies()


def type_the_password(desk: Desk) -> None:
    desk.open("/accounts/login/")
    desk.page.get_by_label("Username or email").fill("carol")
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.get_by_role("button", name="Sign in", exact=True).click()


def test_it_adds_a_passkey_and_signs_in_with_it(desk: Desk, carol: User) -> None:
    page = desk.page
    with_a_fingerprint_reader(page)
    type_the_password(desk)
    expect(page).to_have_url(f"{desk.url}/annotations")
    desk.open("/accounts/2fa/passkeys/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("work laptop")
    page.get_by_label("Sign in with this passkey alone").check()
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

    sign_out(page)
    type_the_password(desk)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{desk.url}/annotations")

    sign_out(page)
    desk.open("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{desk.url}/annotations")
    assert desk.complaints == []


def test_it_says_where_the_button_is_that_nothing_came(desk: Desk) -> None:
    with_a_fingerprint_reader(desk.page)
    desk.open("/accounts/login/")

    desk.page.get_by_role("button", name="Sign in with a passkey").click()

    expect(desk.page.locator("#passkey_error")).to_contain_text("No answer from a passkey")
    assert desk.complaints == []
