"""Two admins edit one retriever: base, mine and theirs, and nothing preselected."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.models import Retriever
from reviewapp.web.conflicts import UNCHOSEN
from tests.collapsed import collapsed
from tests.retrievers.edits import address, edit_of, filled_edit_form


def test_it_shows_base_mine_and_theirs_when_somebody_was_faster(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    mine = filled_edit_form(client, retriever, name="Mine", add=["my tag"])
    services.edit(
        retriever.pk,
        edit_of(retriever, name="Theirs", description="New", tags_add=("their",)),
        actor=adam,
    )
    reply = client.post(address(retriever), mine)
    assert reply.status_code == 409
    for words in (
        "adam saved first.",
        "Only they changed the description; theirs is used.",
        "Brand triage",
        "Mine",
        "Theirs",
        "Keep mine",
        "Take theirs",
        "my tag",
    ):
        assert words in collapsed(reply)
    again = filled_edit_form(client, retriever) | mine | {"description": "New"}
    draft = reply.context["draft"]
    kept = again | {
        "edit_id": draft.edit_id,
        "base": draft.base_json,
        "asked": "name",
        "keep_name": "mine",
    }
    assert client.post(address(retriever), kept).status_code == 302
    retriever.refresh_from_db()
    assert retriever.values() == {
        "name": "Mine",
        "description": "New",
        "tags": ["logos", "vans", "their", "my tag"],
    }


def test_it_takes_theirs_where_asked(client: Client, adam: User, retriever: Retriever) -> None:
    client.force_login(adam)
    mine = filled_edit_form(client, retriever, name="Mine", add=["tag"])
    services.edit(retriever.pk, edit_of(retriever, name="Theirs"), actor=adam)
    draft = client.post(address(retriever), mine).context["draft"]
    client.post(
        address(retriever),
        mine | {"edit_id": draft.edit_id, "base": draft.base_json, "keep_name": "theirs"},
    )
    retriever.refresh_from_db()
    assert (retriever.name, retriever.tags) == ("Theirs", ["logos", "vans", "tag"])


def overtaken(client: Client, adam: User, retriever: Retriever) -> dict[str, Any]:
    """Return the data of a form whose name and description another admin changed first."""
    mine = filled_edit_form(client, retriever, name="Mine", description="My words", add=["tag"])
    services.edit(
        retriever.pk, edit_of(retriever, name="Theirs", description="Their words"), actor=adam
    )
    page = client.post(address(retriever), mine)
    draft, markup = page.context["draft"], collapsed(page)
    assert not re.search(r'type="radio"[^>]*checked', markup)
    assert re.findall(r'name="asked" value="(\w+)"', markup) == ["name", "description"]
    return mine | {
        "edit_id": draft.edit_id, "base": draft.base_json, "was_base": draft.was_json, "asked": ["name", "description"]
    }  # fmt: skip


def test_it_refuses_until_it_is_said_whose_text_stands(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    again = overtaken(client, adam, retriever)
    for odd in ({"keep_name": "mine"}, {"keep_name": "mine", "keep_description": "both"}):
        reply = client.post(address(retriever), again | odd)
        choices = reply.context["draft"].conflicts
        assert reply.status_code == 422
        assert [choice.error for choice in choices.values()] == ["", UNCHOSEN]
        assert (choices["description"].base, choices["description"].theirs) == (
            "Finds\nlogos",
            "Their words",
        )
        for words in (
            "Brand triage",
            "My words",
            "Their words",
            'value="mine" required checked',
            'id="keep_description',
        ):
            assert words in collapsed(reply)
    kept = again | {"keep_name": "mine", "keep_description": "theirs"}
    wrong = client.post(address(retriever), kept | {"name": "x" * 201})
    assert [choice.chosen for choice in wrong.context["draft"].conflicts.values()] == [
        "mine",
        "theirs",
    ]
    retriever.refresh_from_db()
    assert (retriever.name, Change.objects.count()) == ("Theirs", 1)
    assert client.post(address(retriever), kept).status_code == 302
    retriever.refresh_from_db()
    assert (retriever.name, retriever.description) == ("Mine", "Their words")


def test_it_asks_nothing_about_a_text_that_was_typed_as_theirs(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    again = overtaken(client, adam, retriever) | {"name": "Theirs", "keep_description": "mine"}
    assert client.post(address(retriever), again).status_code == 302
    retriever.refresh_from_db()
    assert (retriever.name, retriever.description) == ("Theirs", "My words")


@pytest.mark.parametrize("was", ["", "{}", "x"])
def test_it_forgives_or_refuses_a_damaged_question(
    client: Client, adam: User, retriever: Retriever, was: str
) -> None:
    client.force_login(adam)
    again = overtaken(client, adam, retriever) | {
        "was_base": was,
        "asked": ["name", "tags", "x"],
        "keep_name": "mine",
    }
    reply = client.post(address(retriever), again | {"description": "Their words"})
    assert reply.status_code == (422 if was else 302)
    assert ("This form is damaged." in collapsed(reply)) is bool(was)
