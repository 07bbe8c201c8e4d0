"""The frame of every page: navigation, pause, theme, and the handling of failed requests."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.outbox.models import Pause
from reviewapp.outbox.status.presenters import ICONS
from tests.collapsed import collapsed
from tests.factories import make_annotation, make_change

pytestmark = pytest.mark.django_db

ROOT = Path(settings.BASE_DIR)
STATIC = ROOT / "static"


def shell(client: Client, person: User, address: str = "/annotations") -> str:
    client.force_login(person)
    return collapsed(client.get(address))


def test_it_leads_a_reviewer_everywhere_but_to_the_history(
    client: Client, alice: User, lena: User
) -> None:
    assert ">Queue</a>" in shell(client, alice)
    assert ">History</a>" not in shell(client, alice)
    assert ">History</a>" in shell(client, lena)


def test_it_marks_where_one_is(client: Client, alice: User) -> None:
    assert re.findall(r'aria-current="page">(\w+)</a>', shell(client, alice)) == ["Queue"]


def test_it_shows_how_much_waits_for_a_person_only_when_something_does(
    client: Client, alice: User
) -> None:
    assert "need attention" not in shell(client, alice)
    make_change(make_annotation(), "refused")
    assert re.search(r">: </span>1<span[^>]*> need attention", shell(client, alice))


def test_it_says_on_every_page_that_deliveries_are_paused(client: Client, alice: User) -> None:
    assert "Deliveries to Mixpeek are paused" not in shell(client, alice)
    Pause.objects.create(reason="The key <sk> is refused.")
    for address in ("/annotations", "/attention", "/preferences"):
        assert "The key &lt;sk&gt; is refused." in shell(client, alice, address)


@pytest.mark.parametrize("theme", ["system", "light", "dark"])
def test_it_wears_the_theme_that_one_chose(client: Client, alice: User, theme: str) -> None:
    User.objects.filter(pk=alice.pk).update(theme=theme)
    assert f'<html lang="en" data-theme="{theme}">' in shell(client, alice)


def test_it_signs_out_by_post_only(client: Client, alice: User) -> None:
    assert '<form method="post" action="/accounts/logout/" data-signs-out>' in shell(client, alice)


def test_it_lets_htmx_swap_answers_about_the_form_and_keep_nothing_in_the_browser(
    client: Client, alice: User
) -> None:
    match = re.search(r"""name="htmx-config" content='([^']*)'""", shell(client, alice))
    assert match
    config = json.loads(unescape(match[1]))
    assert (config["historyCacheSize"], config["allowEval"], config["includeIndicatorStyles"]) == (
        0,
        False,
        False,
    )

    def swapped(status: int) -> bool:
        # htmx takes the first entry whose code, as a regular expression, is found in the status.
        return bool(
            next(
                rule["swap"]
                for rule in config["responseHandling"]
                if re.search(rule["code"], str(status))
            )
        )

    assert {
        code
        for code in (200, 204, 302, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
        if swapped(code)
    } == {
        200,
        302,
        409,
        422,
    }


def test_it_has_no_scripts_and_styles_but_files_that_exist(client: Client, alice: User) -> None:
    used = re.findall(r'(?:src|href)="/static/([^"#]+)', shell(client, alice))
    ours = [name for name in used if not name.startswith("django_htmx/")]
    assert {"css/base.css", "favicon.svg", "page.js", "server.js"} <= set(ours)
    assert [name for name in ours if not (STATIC / name).is_file()] == []


def test_it_uses_icons_that_exist() -> None:
    sprite = (STATIC / "vendor/bootstrap-icons/bootstrap-icons.svg").read_text()
    there = set(re.findall(r'<symbol[^>]* id="([\w-]+)"', sprite))
    used = set(ICONS.values())
    for path in (ROOT / "templates").rglob("*.html"):
        used |= set(re.findall(r'icon\("([\w-]+)"\)', path.read_text()))
    assert len(there) < 200, "only what pages name: see VERSION"
    assert used - there == set()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500", "503"])
def test_it_renders_each_error_page_with_nothing_at_hand(
    name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Django renders some of these without a request, when the database may be the very thing that
    # is down.
    with django_assert_num_queries(0):
        markup = get_template(f"{name}.html").render({})
    assert "<h1>" in markup
    assert 'href="/"' in markup


def test_it_answers_an_unknown_address_in_its_own_clothes(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "Page not found" in collapsed(response)
