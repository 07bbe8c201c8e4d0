"""Selected retrievers survive each search, order and page without scripts, typed text too."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.retrievers.models import Retriever
from tests.collapsed import collapsed
from tests.factories import make_retriever

LIST = "/retrievers"


@pytest.fixture
def many(db: None) -> list[Retriever]:
    """Two pages of them, in the order of the list."""
    return [
        make_retriever(f"triage {number:02}", tags=["t"] if number % 2 else [])
        for number in range(40)
    ]


def sends(page: Any) -> dict[str, Any]:
    """Return what the form of the list would send, as the browser puts it together from its fields."""
    sent: dict[str, list[str]] = {}
    for field in re.findall(r"<input[^>]*>", page.content.decode()):
        has = dict(re.findall(r'(\w+)="([^"]*)"', field))
        inside = has.get("form") == "listing" or has.get("id") == "id_q"
        if inside and (has["type"] != "checkbox" if "type" in has else True):
            sent.setdefault(has["name"], []).append(unescape(has.get("value", "")))
        elif inside and re.search(r"\bchecked\b", field):
            sent.setdefault(has["name"], []).append(has["value"])
    return sent


def look(client: Client, address: str, **given: Any) -> Any:
    return client.get(address, given)


def keys(retrievers: list[Retriever]) -> set[str]:
    return {str(one.pk) for one in retrievers}


def test_it_carries_picks_over_pages_searches_and_orders(
    adam_client: Client, many: list[Retriever]
) -> None:
    chosen = [many[0], many[3], many[35]]
    first = look(adam_client, LIST, pk=[one.pk for one in chosen], add="new, newer", remove='o"ld')
    assert "3 selected, 1 of them on other pages" in collapsed(first)
    assert [one.pk for one in first.context["picks"].elsewhere] == [many[35].pk]
    cursor = re.search(r'form="listing" name="cursor" value="([^"]+)"', first.content.decode())
    assert cursor
    turns = [
        ("cursor", cursor[1]),
        ("q", "triage 1"),
        ("tag", "t"),
        ("sort", "waiting"),
        ("q", "nothing"),
    ]
    for name, value in turns:
        page = adam_client.get(LIST, sends(first) | {name: value})
        sent = sends(page)
        assert set(sent["pk"]) == keys(chosen)
        assert (sent["add"], sent["remove"]) == (["new, newer"], ['o"ld'])
        shown = {row.pk for row, *_ in page.context["rows"]}
        away = sum(1 for one in chosen if one.pk not in shown)
        assert len(page.context["picks"].elsewhere) == away
        assert f"3 selected{f', {away} of them on other pages' if away else ''}<" in collapsed(page)
    last = adam_client.get(first.context["pager"].after)
    assert set(sends(last)["pk"]) == keys(chosen)
    assert "3 selected, 2 of them on other pages" in collapsed(last)


def test_it_lets_each_pick_go(adam_client: Client, many: list[Retriever]) -> None:
    page = look(adam_client, LIST, pk=[many[0].pk, many[39].pk], q="triage", sort="name")
    away = adam_client.get(LIST, sends(page) | {"pk": [many[0].pk]})
    assert "1 selected<" in collapsed(away)
    address = page.context["unpicked"]
    assert f'href="{reverse("retrievers")}{address}"'.replace("&", "&amp;") in page.content.decode()
    none = adam_client.get(LIST + address)
    assert (none.context["picks"].total, none.context["q"]) == (0, "triage")


def test_it_leads_to_the_preview_and_back_with_all_of_it(
    adam_client: Client, many: list[Retriever]
) -> None:
    chosen = [many[0], many[35]]
    page = look(adam_client, LIST, pk=[one.pk for one in chosen], q="triage 0", add="new")
    assert re.search(
        r'<button[^>]*form="listing" formaction="/retrievers/tags"', page.content.decode()
    )
    preview = adam_client.get("/retrievers/tags", sends(page))
    assert [one.retriever.pk for one in preview.context["plan"]] == [one.pk for one in chosen]
    again = adam_client.get(preview.context["back"])
    assert set(sends(again)["pk"]) == keys(chosen)
    assert (sends(again)["add"], again.context["q"]) == (["new"], "triage 0")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"pk": []}, "Select at least one retriever."),
        ({"add": "", "remove": ""}, "Enter a tag to add or to remove."),
    ],
)
def test_it_refuses_a_preview_and_keeps_what_was_picked_and_typed(
    adam_client: Client, many: list[Retriever], wrong: dict[str, Any], sentence: str
) -> None:
    given = {"pk": [many[0].pk, many[35].pk], "add": "new", "remove": "old", "tag": ""} | wrong
    page = adam_client.get("/retrievers/tags", given)
    assert page.status_code == 422
    text = collapsed(page)
    assert sentence in text
    for key in given["pk"]:
        assert f'type="checkbox" name="pk" value="{key}" checked' in text
    for name in ("add", "remove"):
        assert f'name="{name}" value="{given[name]}"' in text
    back = sends(adam_client.get(page.context["back"]))
    assert (back.get("pk", []), back["add"], back["remove"]) == (
        [str(key) for key in given["pk"]], [given["add"]], [given["remove"]]
    )  # fmt: skip


def test_it_says_on_the_list_when_too_many_are_picked(adam_client: Client) -> None:
    several = [make_retriever() for _ in range(201)]
    page = adam_client.get(LIST, {"pk": [one.pk for one in several]})
    assert "Select at most 200 at a time." in collapsed(page)
    assert "201 selected, 171 of them on other pages" in collapsed(page)


def test_it_is_nothing_to_those_who_may_not_tag(
    client: Client, alice: User, many: list[Retriever]
) -> None:
    client.force_login(alice)
    page = look(client, LIST, pk=many[0].pk, add="x")
    assert "data-picked" not in collapsed(page)
    assert 'name="pk"' not in page.content.decode()
    assert "pk=" not in page.context["pager"].after
    assert 'rel="next"' in page.content.decode()


def test_no_more_can_be_selected_than_can_be_changed_together(
    adam_client: Client, db: None
) -> None:
    retrievers = [make_retriever(f"triage {number:03}") for number in range(210)]
    first = [one.pk for one in retrievers[:199]]
    page = look(adam_client, LIST, pk=first, q="triage 2").content.decode()
    assert not re.findall(r'name="pk"[^>]*disabled', page)

    full = look(adam_client, LIST, pk=[*first, retrievers[199].pk], q="triage 2")
    assert "No more can be selected at a time." in collapsed(full)
    assert len(re.findall(r'name="pk"[^>]*disabled', full.content.decode())) == 10
