"""A list of choices ends somewhere; what a link chooses beyond it is still chosen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reviewapp.accounts.models import User
from reviewapp.retrievers.models import Retriever
from tests.factories import LONG_AGO, make_annotation, make_retriever
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def last_person(db: None) -> User:
    """Return the 501st person by name, behind all others."""
    names = [f"person{number:03}" for number in range(505)]
    people = [User(username=name, username_key=name, email_key=None) for name in names]
    User.objects.bulk_create(people)
    return User.objects.create(username="zzz")


def chosen(page: Any, value: str) -> str:
    """Return the text of the option or box with this value, "" if it is not chosen."""
    selected = rf'<option value="{value}"\s+selected>([^<]*)<'
    checked = rf'value="{value}"\s+checked>\s*<span>([^<]*)<'
    choice = re.search(f"{selected}|{checked}", page.content.decode())
    return (choice[1] or choice[2]).strip() if choice else ""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/history", "person"),
        ("/decisions", "person"),
        ("/deliveries", "person"),
        ("/annotations", "reviewer"),
    ],
)
def test_it_takes_the_person_behind_the_last_choice(
    adam: User, last_person: User, path: str, name: str
) -> None:
    page = signed_in(adam).get(path, {name: str(last_person.pk)})
    assert page.status_code == 200
    assert chosen(page, str(last_person.pk)) == "zzz"


@pytest.mark.parametrize("path", ["/history", "/deliveries"])
def test_it_takes_nobody_for_a_person(adam: User, path: str) -> None:
    for value in ("99999999999", "x", "-1", "9" * 40):
        assert signed_in(adam).get(path, {"person": value}).status_code in {200, 422}


def test_it_takes_a_retriever_and_a_tag_behind_the_last_choice(adam: User) -> None:
    rows = [
        Retriever(
            retriever_id=f"ret_{number}",
            name=f"a{number:03}",
            tags=[f"t{number:03}"],
            seen_at=LONG_AGO,
        )
        for number in range(505)
    ]
    Retriever.objects.bulk_create(rows)
    last = make_retriever("zzz", tags=["zzz tag"])
    make_annotation(last, title="of the last")

    page = signed_in(adam).get("/annotations", {"retriever": str(last.pk)})
    assert [line.title for line in page.context["lines"]] == ["of the last"]
    assert chosen(page, str(last.pk)) == "zzz"

    page = signed_in(adam).get("/deliveries", {"retriever": last.retriever_id})
    assert chosen(page, last.retriever_id) == "zzz"

    page = signed_in(adam).get("/retrievers", {"tag": "zzz tag"})
    assert [row.name for row, *_ in page.context["rows"]] == ["zzz"]
    assert chosen(page, "zzz tag") == "zzz tag"
