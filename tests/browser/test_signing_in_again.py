"""A session ends during work: signing in again in place lets the submit go on by itself."""

from __future__ import annotations

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, expect

from reviewapp.accounts import services
from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.accounts.totp import code
from tests.desk import Open, Window, ready
from tests.people import PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]

DIALOG = "#sign_in_again"


@pytest.fixture(autouse=True)
def passwords(alice: User, bob: User) -> None:
    """Let both sign in by hand."""
    for person in (alice, bob):
        person.password = make_password(PASSWORD)
        person.save()


def _submit_signed_out(page: Page) -> Locator:
    """Type, lose the session, submit, and return the dialog."""
    page.fill("#reasoning", "Typed before")
    expect(page.locator("[data-draft-state]")).to_contain_text("on the server")
    Session.objects.all().delete()
    page.locator("#reasoning").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"{DIALOG} [name=password]")).to_be_focused()
    return page.locator(DIALOG)


def test_it_goes_on_with_the_submit_after_signing_in(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    dialog = _submit_signed_out(page)
    expect(dialog).to_contain_text("Sign in as alice and your decision is sent")
    expect(dialog.locator("[name=login]")).to_have_value("alice")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Wrong username or password.")
    dialog.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    ready(page, items[1])
    expect(dialog).to_be_hidden()
    decision = Decision.objects.get()
    assert (decision.reasoning, decision.reviewer) == ("Typed before", alice)
    page.keyboard.press("Control+Enter")
    ready(page, items[2])


def test_it_no_longer_says_saved_of_the_item_before(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    expect(page.locator("#bar .bar-message")).to_contain_text("Saved.")

    dialog = _submit_signed_out(page)
    expect(dialog).to_be_visible()
    expect(page.locator("#bar .bar-message")).to_have_count(0)
    assert Decision.objects.count() == 1


def test_it_says_that_the_account_is_deactivated_and_asks_for_nothing(
    window: Window, open_item: Open, alice: User, adam: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", "Typed before")
    expect(page.locator("[data-draft-state]")).to_contain_text("on the server")
    services.deactivate(alice, actor=adam)
    page.locator("#reasoning").focus()
    page.keyboard.press("Control+Enter")
    dialog = page.locator(DIALOG)
    expect(dialog).to_contain_text("Your account was deactivated. Ask an admin to reactivate it")
    expect(page.locator("#failure")).to_contain_text("Your account was deactivated.")
    expect(dialog.locator("input:visible, a:visible")).to_have_count(0)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.keyboard.press("Escape")
    expect(page.locator("#reasoning")).to_have_value("Typed before")
    expect(page.locator("#failure [data-sign-in]")).to_be_hidden()
    Session.objects.all().delete()
    services.reactivate(alice, actor=adam)
    page.locator("#reasoning").focus()
    page.keyboard.press("Control+Enter")
    dialog.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    ready(page, items[1])
    assert Decision.objects.get().reviewer == alice


def test_it_asks_for_the_second_factor_too(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    page = window(alice)
    open_item(page, items[0])
    dialog = _submit_signed_out(page)
    dialog.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    dialog.locator("[name=code]").fill(code("JBSWY3DPEHPK3PXP"))
    page.keyboard.press("Enter")
    ready(page, items[1])
    assert Decision.objects.get().reviewer == alice


def test_it_submits_nothing_when_somebody_else_signs_in(
    window: Window, open_item: Open, alice: User, bob: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    dialog = _submit_signed_out(page)
    dialog.locator("[name=login]").fill("bob")
    dialog.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text(
        "You are now signed in as bob, but this page belongs to alice. Nothing was submitted"
    )
    expect(page.locator("#reasoning")).to_have_value("Typed before")
    assert not Decision.objects.exists()
    dialog.get_by_role("button", name="Sign in as alice").click()
    dialog.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    ready(page, items[1])
    assert Decision.objects.get().reviewer == alice


def test_it_stays_as_it_is_when_nobody_signs_in(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    _submit_signed_out(page)
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_be_hidden()
    expect(page.locator("#reasoning")).to_be_focused()
    expect(page.locator("#reasoning")).to_have_value("Typed before")
    expect(page.locator("#failure")).to_contain_text("You were signed out.")
    page.locator("#failure").get_by_role("button", name="Sign in here").click()
    expect(page.locator(f"{DIALOG} [name=password]")).to_be_focused()
    assert not Decision.objects.exists()


def test_it_asks_to_sign_in_when_all_cookies_are_gone_and_goes_on(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.fill("#reasoning", "Typed before")
    expect(page.locator("[data-draft-state]")).to_contain_text("on the server")
    page.context.clear_cookies()
    page.keyboard.press("Control+Enter")
    dialog = page.locator(DIALOG)
    expect(dialog.locator("[name=password]")).to_be_focused()
    expect(page.locator("#failure")).to_contain_text("You were signed out.")
    dialog.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    ready(page, items[1])
    assert (Decision.objects.get().reasoning, Decision.objects.get().reviewer) == (
        "Typed before",
        alice,
    )


def test_it_goes_on_by_itself_when_only_the_token_is_gone(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    page.fill("#reasoning", "Typed before")
    expect(page.locator("[data-draft-state]")).to_contain_text("on the server")
    page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    assert Decision.objects.get().reasoning == "Typed before"
