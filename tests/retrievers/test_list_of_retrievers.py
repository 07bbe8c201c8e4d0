"""The list of retrievers: search by words and tag, three orders, the last edit and its author."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.retrievers import services
from reviewapp.retrievers.models import Retriever
from tests.factories import make_annotation, make_execution, make_retriever
from tests.retrievers.edits import edit_of

pytestmark = pytest.mark.django_db


def listed(client: Client, **query: str) -> list[str]:
    return [row.name for row, *_ in client.get(reverse("retrievers"), query).context["rows"]]


@pytest.fixture
def some(db: None, adam: User) -> list[Retriever]:
    retrievers = [
        make_retriever("alpha", description="Finds vans", tags=["logos", "a,b"]),
        make_retriever("beta", tags=['Größe "x"', "logos"]),
        make_retriever("gamma", description="100% sure", tags=[]),
    ]
    for _ in range(2):
        make_annotation(retrievers[2])
    make_annotation(retrievers[1])
    services.edit(retrievers[1].pk, edit_of(retrievers[1], description="New"), actor=adam)
    return retrievers


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("ALPH", ["alpha"]),
        ("vans", ["alpha"]),
        ("logo", ["alpha", "beta"]),
        ('größe "x', ["beta"]),
        ("a,b", ["alpha"]),
        ("100%", ["gamma"]),
        ("%", ["gamma"]),
        ("_", ["alpha", "beta", "gamma"]),
        ("[", []),
        ("nothing", []),
    ],
)
def test_it_finds_by_name_description_and_tag(
    client: Client, alice: User, some: list[Retriever], words: str, names: list[str]
) -> None:
    client.force_login(alice)
    # Every id of a retriever holds an underscore, and ids are searched as well.
    assert listed(client, q=words) == names


def test_it_narrows_to_a_tag(client: Client, alice: User, some: list[Retriever]) -> None:
    client.force_login(alice)
    assert listed(client, tag="logos") == ["alpha", "beta"]
    assert listed(client, tag="a,b", q="vans") == ["alpha"]
    assert listed(client, tag="logo") == []
    assert listed(client, tag="x" * 300) == []
    page = client.get(reverse("retrievers"))
    assert page.context["tags_in_use"] == ["a,b", 'Größe "x"', "logos"]


def test_it_sorts_by_name_by_what_waits_and_by_the_last_edit(
    client: Client, alice: User, some: list[Retriever]
) -> None:
    client.force_login(alice)
    assert listed(client) == listed(client, sort="nonsense") == ["alpha", "beta", "gamma"]
    assert listed(client, sort="waiting") == ["gamma", "beta", "alpha"]
    assert listed(client, sort="edited") == ["beta", "gamma", "alpha"]


def test_it_says_who_edited_last(client: Client, alice: User, some: list[Retriever]) -> None:
    client.force_login(alice)
    rows = client.get(reverse("retrievers")).context["rows"]
    assert [edit.actor_name if edit else None for _, _, edit in rows] == [None, "adam", None]


@pytest.mark.parametrize("sort", ["name", "waiting", "edited"])
def test_it_pages_in_every_order_and_keeps_what_was_asked(
    client: Client, alice: User, adam: User, sort: str
) -> None:
    for number in range(35):
        retriever = make_retriever(f"retriever {number:02}", tags=["t"])
        for _ in range(number % 3):
            make_annotation(retriever)
        if number % 2:
            services.edit(retriever.pk, edit_of(retriever, description="New"), actor=adam)
    client.force_login(alice)
    first = client.get(reverse("retrievers"), {"sort": sort, "tag": "t", "q": "retr"})
    after = first.context["pager"].after
    assert (f"sort={sort}" in after) == (sort != "name")
    assert "tag=t" in after
    second = client.get(after)
    names = [row.name for page in (first, second) for row, *_ in page.context["rows"]]
    assert len(names) == len(set(names)) == 35
    assert [row.pk for row, *_ in client.get(second.context["pager"].before).context["rows"]] == [
        row.pk for row, *_ in first.context["rows"]
    ]


def test_it_asks_the_same_few_questions_for_many(client: Client, adam: User) -> None:
    client.force_login(adam)
    counts = []
    for turn in range(2):
        for number in range(5):
            retriever = make_execution().retriever
            services.edit(
                retriever.pk,
                edit_of(retriever, name=f"{turn} {number}", tags_add=("x",)),
                actor=adam,
            )
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("retrievers"), {"sort": "edited"})
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14
