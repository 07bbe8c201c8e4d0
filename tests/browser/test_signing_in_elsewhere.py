"""A session ends during work, and signing in needs another tab: the page notices it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.accounts.conftest import idp
from tests.accounts.idp import Provider
from tests.accounts.sso_steps import sign_in_by_sso
from tests.desk import Open, Window, ready, sign_in_browser
from tests.operations.processes import until
from tests.people import PASSWORD

__all__ = ["idp"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DIALOG = "#sign_in_again"
READER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
}


def type_and_submit_signed_out(page: Page) -> None:
    page.fill("#reasoning", "Typed before")
    expect(page.locator("[data-draft-state]")).to_contain_text("on the server")
    Session.objects.all().delete()
    page.locator("#reasoning").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"{DIALOG} [name=password]")).to_be_focused()


def another_way(page: Page) -> Page:
    """Follow the dialog's link; return the tab that it opens."""
    with page.expect_popup() as opened:
        page.locator(DIALOG).get_by_role("link", name="Use a passkey or another way").click()
    expect(page.locator(DIALOG)).to_contain_text("in the new tab")
    expect(opened.value.get_by_role("heading", name="Sign in")).to_be_visible()
    return opened.value


def with_a_reader(page: Page) -> tuple[Any, str]:
    """Give a tab an authenticator that says yes to everything."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    always = {"isUserVerified": True, "automaticPresenceSimulation": True}
    created = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**READER, **always}})
    return devtools, created["authenticatorId"]


def add_a_passkey(page: Page, url: str) -> dict[str, Any]:
    """Add a passkey by its page and return it, for the authenticator of another tab."""
    devtools, reader = with_a_reader(page)
    page.goto(f"{url}/accounts/2fa/passkeys/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("work laptop")
    page.get_by_label("Sign in with this passkey alone").check()
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    (credential,) = devtools.send("WebAuthn.getCredentials", {"authenticatorId": reader})[
        "credentials"
    ]
    return dict(credential)


def went_on(page: Page, items: list[Annotation], person: User) -> None:
    ready(page, items[1])
    expect(page.locator(DIALOG)).to_be_hidden()
    expect(page.locator("#failure")).to_be_hidden()
    until(Decision.objects.exists)
    decision = Decision.objects.get()
    assert (decision.reasoning, decision.reviewer) == ("Typed before", person)
    page.keyboard.press("Control+Enter")
    ready(page, items[2])


def test_it_goes_on_after_a_passkey(
    window: Window,
    open_item: Open,
    quick_hashing: None,
    alice: User,
    items: list[Annotation],
    live_server: LiveServer,
) -> None:
    alice.password = make_password(PASSWORD)
    alice.save()
    page = window(alice)
    credential = add_a_passkey(page, live_server.url)
    open_item(page, items[0])
    type_and_submit_signed_out(page)

    tab = another_way(page)
    devtools, reader = with_a_reader(tab)
    devtools.send("WebAuthn.addCredential", {"authenticatorId": reader, "credential": credential})
    tab.get_by_role("button", name="Sign in with a passkey").click()

    expect(tab.get_by_role("heading", name="You are signed in as alice")).to_be_visible()
    went_on(page, items, alice)


def test_it_goes_on_after_a_single_sign_on(
    window: Window, open_item: Open, items: list[Annotation], idp: Provider, settings: Settings
) -> None:
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {**policy, "form-action": [*policy["form-action"], idp.url]}
    }
    sign_in_by_sso(Client(), idp)
    wendy = User.objects.get(username="wendy")
    page = window(wendy)
    open_item(page, items[0])
    type_and_submit_signed_out(page)

    tab = another_way(page)
    tab.get_by_role("button", name="Sign in with Our house").click()

    expect(tab.get_by_role("heading", name="You are signed in as wendy")).to_be_visible()
    went_on(page, items, wendy)


@pytest.mark.answer_first
def test_it_submits_nothing_when_somebody_else_signs_in_there(
    window: Window,
    open_item: Open,
    quick_hashing: None,
    alice: User,
    bob: User,
    items: list[Annotation],
) -> None:
    bob.password = make_password(PASSWORD)
    bob.save()
    page = window(alice)
    open_item(page, items[0])
    type_and_submit_signed_out(page)

    tab = another_way(page)
    tab.get_by_label("Username or email").fill("bob")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.locator(DIALOG)).to_contain_text(
        "You are now signed in as bob, but this page belongs to alice"
    )
    expect(page.locator("#reasoning")).to_have_value("Typed before")
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "sign",
    [
        "window.dispatchEvent(new Event('focus'))",
        "document.dispatchEvent(new Event('visibilitychange'))",
    ],
)
def test_it_goes_on_when_its_writer_comes_back_to_the_tab(
    window: Window,
    open_item: Open,
    alice: User,
    items: list[Annotation],
    live_server: LiveServer,
    sign: str,
) -> None:
    page = window(alice)
    open_item(page, items[0])
    type_and_submit_signed_out(page)
    sign_in_browser(page.context, alice, live_server.url)
    page.evaluate(sign)
    went_on(page, items, alice)
