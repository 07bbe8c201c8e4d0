"""The queue page: for whom, with and without htmx, page by page, at a known number of queries."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import Show
from tests.collapsed import collapsed
from tests.factories import (
    LONG_AGO,
    make_annotation,
    make_change,
    make_lease,
    make_retriever,
    make_set_aside,
)

pytestmark = pytest.mark.django_db


def titles(markup: str) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]*)<', markup)


def link(markup: str, rel: str) -> str:
    match = re.search(rf'rel="{rel}" href="([^"]*)"', markup)
    return match[1].replace("&amp;", "&") if match else ""


def get(client: Client, address: str, **headers: str) -> str:
    return collapsed(client.get(address, headers=headers))


def test_it_sends_strangers_to_sign_in(client: Client, db: None) -> None:
    response = client.get("/annotations?q=logo")
    assert (response.status_code, response["Location"]) == (
        302,
        "/accounts/login/?next=%2Fannotations%3Fq%3Dlogo",
    )


def test_it_refuses_people_without_a_role_and_other_methods(
    client: Client, stranger: User, alice: User
) -> None:
    client.force_login(stranger)
    assert client.get("/annotations").status_code == 403
    client.force_login(alice)
    assert client.post("/annotations").status_code == 405


def test_it_leads_to_each_item_under_the_same_filters(client: Client, alice: User) -> None:
    annotation = make_annotation(label="a&b")
    client.force_login(alice)
    markup = get(client, "/annotations?label=a%26b&sort=oldest&band=nonsense")
    assert f'href="/annotations/{annotation.pk}?label=a%26b&amp;sort=oldest"' in markup
    assert 'href="/annotations/next?label=a%26b&amp;sort=oldest"' in markup
    assert "The filter “Confidence” was ignored: There is no “nonsense”." in markup


def test_it_shows_text_as_text(client: Client, alice: User) -> None:
    make_annotation(title="<b>bold</b>", excerpt="<img src=x>", label="<i>", document_id="<u>")
    client.force_login(alice)
    markup = get(client, "/annotations?q=%3Cscript%3E&show=all") + get(client, "/annotations")
    assert not re.search(r"<(b|i|u|script)>|<img src=x", markup)


def test_it_shows_on_a_line_who_holds_it_what_was_changed_and_how_far_it_got(
    client: Client, alice: User, bob: User
) -> None:
    make_lease(make_annotation(title="held"), bob)
    make_lease(make_annotation(title="free again"), bob, seconds=-1)
    changed = make_annotation(
        label="ours",
        proposed={"label": "theirs"},
        status="decided",
        reviewer=bob,
        decided_at=LONG_AGO,
    )
    make_change(changed, "delivered")
    make_change(changed)
    client.force_login(alice)
    assert get(client, "/annotations").count("open by bob") == 1
    markup = get(client, "/annotations?show=decided")
    assert "</span>theirs</s>" in markup
    assert "Not yet delivered</span> " in markup
    assert get(client, "/annotations?show=conflict").count("row-link") == 0


def test_it_gives_htmx_the_part_alone_with_its_clean_address(client: Client, alice: User) -> None:
    make_annotation()
    client.force_login(alice)
    response = client.get("/annotations?show=all&q=&label=logo", headers={"HX-Request": "true"})
    assert collapsed(response).startswith('<section id="queue"')
    assert response["HX-Push-Url"] == "/annotations?show=all&label=logo"
    assert response["HX-Trigger"] == '{"say": "1 annotation shown"}'
    assert "HX-Request" in response["Vary"]


def test_it_gives_the_whole_page_when_htmx_restores_history(client: Client, alice: User) -> None:
    client.force_login(alice)
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert get(client, "/annotations", **headers).startswith("<!doctype html>")


def test_it_works_without_javascript(client: Client, alice: User) -> None:
    for _ in range(31):
        make_annotation()
    client.force_login(alice)
    markup = get(client, "/annotations")
    chips = re.findall(r'<a class="chips-item[^>]* href="([^"]*)"', markup)
    assert chips == ["/annotations", *(f"/annotations?show={show}" for show in list(Show)[1:])]
    assert re.search(r'rel="next" href="([^"]*)" hx-get="\1"', markup)
    assert '<form id="filters" class="filters" method="get" action="/annotations"' in markup
    assert '<button class="button no-script" type="submit">Apply</button>' in markup
    assert markup.count('form="filters"') == 2


def test_it_pages_by_key_while_rows_come_and_go(client: Client, alice: User) -> None:
    rows = [
        make_annotation(title=f"row {number:02}", confidence=number / 100) for number in range(70)
    ]
    client.force_login(alice)
    first = get(client, "/annotations")
    assert titles(first) == [f"row {number:02}" for number in range(30)]
    assert link(first, "prev") == ""
    Annotation.objects.filter(pk__in=[row.pk for row in rows[:10]]).update(status="decided")
    make_annotation(title="new in front", confidence=0)
    second = get(client, link(first, "next"))
    assert titles(second) == [f"row {number:02}" for number in range(30, 60)]
    third = get(client, link(second, "next"))
    assert (titles(third), link(third, "next")) == (
        [f"row {number:02}" for number in range(60, 70)],
        "",
    )
    assert titles(get(client, link(third, "prev"))) == titles(second)


@pytest.mark.parametrize(
    "cursor", ["abc", "W10", "WyJhZnRlciIsImEiLCJiIl0", "💥", "%00", "x" * 3000]
)
def test_it_shows_the_first_page_for_a_cursor_that_is_none(
    client: Client, alice: User, cursor: str
) -> None:
    make_annotation(title="first")
    client.force_login(alice)
    markup = get(client, f"/annotations?cursor={cursor}")
    assert titles(markup) == ["first"]
    assert "This is the first page." in markup


@pytest.mark.slow
def test_it_survives_any_address(client: Client, alice: User) -> None:
    client.force_login(alice)
    for name in ("show", "q", "retriever", "label", "status", "reviewer", "band", "sort", "cursor"):
        for value in ("%00", "%ff%fe", "%ed%a0%80", "-1", "9" * 400, "NaN", "'", "a" * 5000):
            assert client.get(f"/annotations?{name}={value}").status_code == 200


def test_it_costs_the_same_for_one_row_as_for_thirty(
    client: Client, alice: User, bob: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(alice)
    for many in (1, 29):
        for _ in range(many):
            annotation = make_annotation(make_retriever(), reviewer=bob)
            make_change(annotation)
            make_lease(annotation, bob)
        # As a fragment: session, person with permissions, the rows, the counts.
        with django_assert_max_num_queries(6):
            get(client, "/annotations", **{"HX-Request": "true"})
        # As a page also: what the filters offer, the news of the outbox, what Undo is about
        # (decided, set aside). A short list also counts all of itself.
        with django_assert_max_num_queries(9):
            get(client, "/annotations")


@pytest.mark.parametrize("query", ["", "&q=van", "&show=deferred"])
def test_it_shows_and_gives_nothing_that_waits_of_a_reviewer(
    client: Client, alice: User, bob: User, query: str
) -> None:
    make_annotation(words="van")
    client.force_login(alice)
    response = client.get(f"/annotations?reviewer={bob.pk}{query}")
    assert (response.status_code, response.context["page"].rows) == (200, [])
    assert client.get(f"/annotations/next?reviewer={bob.pk}{query}").status_code == 302


def test_it_says_how_many_one_has_skipped(client: Client, alice: User, bob: User) -> None:
    make_annotation()
    make_set_aside(make_annotation(), alice, kind="skipped")
    sentence = "You skipped 1 item, which waits for others."
    client.force_login(alice)
    assert sentence in get(client, "/annotations")
    assert sentence not in get(client, "/annotations?show=all")
    client.force_login(bob)
    assert sentence not in get(client, "/annotations")
