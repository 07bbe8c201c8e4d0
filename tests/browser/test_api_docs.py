"""The page of the API, which Swagger UI draws under our own policy."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from tests.desk import Desk
from tests.proofs import long

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

READABLE = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]}}


@pytest.mark.parametrize(
    "desk",
    [
        {"reduced_motion": "reduce"},
        long({"reduced_motion": "reduce", "color_scheme": "dark"}),
        long({"reduced_motion": "reduce", "viewport": {"width": 360, "height": 740}}),
    ],
    ids=["light", "dark", "narrow"],
    indirect=True,
)
def test_it_describes_every_call_without_a_word_in_the_console(desk: Desk, adam: User) -> None:
    User.objects.filter(pk=adam.pk).update(theme="system")
    messages: list[str] = []
    requests: list[str] = []
    page = desk.page
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    desk.sign_in(adam)
    desk.open("/api/docs")
    expect(page.locator(".opblock")).to_have_count(20)

    page.locator("#operations-annotations-patch_annotation .opblock-summary-control").click()
    expect(page.get_by_text("Decide an annotation: set the given values")).to_be_visible()
    expect(page.get_by_text("x-permission")).to_be_visible()
    results = Axe().run(page, options=READABLE)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    expect(page.get_by_role("button", name="Authorize")).to_have_count(0)
    expect(page.get_by_role("button", name="Try it out")).to_have_count(0)
    assert messages == []
    assert [url for url in requests if not url.startswith((desk.url, "data:"))] == []


def test_it_follows_the_theme_that_is_chosen_on_the_page(desk: Desk, adam: User) -> None:
    User.objects.filter(pk=adam.pk).update(theme="dark")
    desk.sign_in(adam)
    desk.open("/api/docs")
    expect(desk.page.locator("html.dark-mode")).to_have_count(1)
    desk.page.evaluate(
        "document.dispatchEvent(new CustomEvent('theme', { detail: { value: 'light' } }))"
    )
    expect(desk.page.locator("html.dark-mode")).to_have_count(0)
