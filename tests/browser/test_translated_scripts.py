"""Scripts say what they say in the reader's language, by the translations that the page has."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, Route
from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TRANSLATIONS = {
    "Saved by %(name)s.": "Gespeichert von %(name)s.",
    "%(number)s draft": {
        "forms": ["%(number)s Entwürfe", "ein Entwurf"],
        "form_of": [0, 1, *([0] * 198)],
    },
}
SAY = """async () => {
    const { gettext, ngettext } = await import("/static/server.js");
    return [
        gettext("Saved by %(name)s.", { name: "Zoë" }),
        gettext("Not %(name)s.", { name: "Zoë" }),
        ...[1, 2, 301].map((number) => ngettext("%(number)s draft", "%(number)s drafts", number)),
    ];
}"""


def test_it_says_what_the_page_translates(page: Page, live_server: LiveServer) -> None:
    def with_translations(route: Route) -> None:
        response = route.fetch()
        text = json.dumps(TRANSLATIONS)
        script = f'<script type="application/json" id="translations">{text}</script></body>'
        route.fulfill(response=response, body=response.text().replace("</body>", script))

    page.route("**/accounts/login/", with_translations)
    page.goto(f"{live_server.url}/accounts/login/")
    assert page.evaluate(SAY) == [
        "Gespeichert von Zoë.",
        "Not Zoë.",
        "ein Entwurf",
        "2 Entwürfe",
        "301 Entwürfe",
    ]
