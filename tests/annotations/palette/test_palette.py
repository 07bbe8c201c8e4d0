"""The command palette offers a person the pages, items, retrievers and people that they may open."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from tests.factories import LONG_AGO, make_annotation, make_result, make_retriever
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db


def offered(client: Client, words: str = "") -> list[dict[str, Any]]:
    """Return what the palette offers for `words`."""
    response = client.get("/palette", {"q": words})
    assert response.status_code == 200
    choices: list[dict[str, Any]] = response.json()["choices"]
    return choices


def titles(client: Client, words: str, kind: str) -> list[str]:
    """Return the titles of one kind of choice for `words`."""
    return [choice["title"] for choice in offered(client, words) if choice["kind"] == kind]


@pytest.mark.parametrize("person", ["alice", "lena", "adam", "stranger"])
def test_each_page_and_match_that_it_offers_can_be_opened(
    person: str, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(person))
    retriever = make_retriever("anna's logos")
    make_annotation(retriever, title="anna")
    make_person("anna")

    choices = offered(client, "anna")
    for choice in choices:
        response = client.get(choice["url"], follow=True)
        assert response.status_code == 200, choice
    assert {choice["kind"] for choice in choices} >= {"page"}


def test_it_offers_nobody_what_they_may_not_open(
    alice: User, lena: User, adam: User, stranger: User
) -> None:
    pages = {}
    for person in (stranger, alice, lena, adam):
        pages[person.username] = set(titles(signed_in(person), "", "page"))
    assert pages["stranger"] < pages["alice"] < pages["lena"] < pages["adam"]
    assert "Queue" not in pages["stranger"]
    assert "History" not in pages["alice"]
    assert "People" not in pages["lena"]

    retriever = make_retriever("anna's logos")
    make_annotation(retriever, title="anna")
    make_person("anna")
    kinds = {}
    for person in (stranger, alice, lena):
        choices = offered(signed_in(person), "anna")
        kinds[person.username] = {choice["kind"] for choice in choices}
    assert kinds["stranger"] == {"page"}
    assert kinds["alice"] == {"page", "item", "retriever"}
    assert kinds["lena"] == {"page", "item", "retriever", "person"}


def test_it_finds_an_item_by_number_by_id_and_by_the_beginning_of_a_word(
    alice_client: Client,
) -> None:
    retriever = make_retriever()
    result = make_result(retriever, document_id="doc_7731")
    item = make_annotation(
        retriever, result=result, document_id="doc_7731", title="Blue van in Lyon"
    )
    make_annotation(title="Red car")
    for words in (str(item.pk), f"#{item.pk}", "blue lyo", "van", "doc_7731"):
        assert titles(alice_client, words, "item")[0] == "Blue van in Lyon", words
    assert titles(alice_client, "blue car", "item") == []


def test_a_minus_sign_excludes_nothing_and_finds_not_everything(alice_client: Client) -> None:
    make_annotation(title="Blue van")
    make_annotation(title="Red car")
    assert titles(alice_client, "-blue", "item") == ["Blue van"]
    assert titles(alice_client, "-", "item") == []
    assert titles(alice_client, '"', "item") == []


def test_what_has_the_words_in_its_title_comes_before_what_has_them_elsewhere(
    alice_client: Client,
) -> None:
    make_annotation(title="A van", words="anything")
    make_annotation(title="Something", words="a picture of a van")
    assert titles(alice_client, "van", "item") == ["A van", "Something"]


def test_it_finds_retrievers_and_people_by_letters_in_their_order(lena: User) -> None:
    client = signed_in(lena)
    make_retriever("Brand triage (EU)")
    make_retriever("Gone logos", gone_at=LONG_AGO)
    make_person("zoe.quist", first_name="Zoë")
    assert titles(client, "bdtri", "retriever") == ["Brand triage (EU)"]
    assert titles(client, "triage (", "retriever") == ["Brand triage (EU)"]
    assert titles(client, "gone", "retriever") == []
    assert titles(client, "zqst", "person") == ["zoe.quist"]
    assert titles(client, "ZOË", "person") == ["zoe.quist"]


def test_an_admin_goes_to_the_page_of_a_person_and_a_lead_to_their_decisions(
    lena: User, adam: User
) -> None:
    zoe = make_person("zoe")
    urls = {}
    for person in (lena, adam):
        choices = offered(signed_in(person), "zoe")
        urls[person.username] = [one["url"] for one in choices if one["kind"] == "person"]
    assert urls == {"lena": [f"/people/{zoe.pk}/decisions"], "adam": [f"/people/{zoe.pk}"]}


def test_it_offers_eight_of_a_kind_at_most(lena: User) -> None:
    for number in range(12):
        make_annotation(title=f"van {number}")
        make_retriever(f"van finder {number}")
        make_person(f"van{number}")
    client = signed_in(lena)
    for kind in ("item", "retriever", "person"):
        assert len(titles(client, "van", kind)) == 8


@pytest.mark.parametrize("words", ["x" * 101, "nul\0byte"])
def test_it_says_what_is_wrong_with_words_that_it_cannot_search_for(
    alice_client: Client, words: str
) -> None:
    response = alice_client.get("/palette", {"q": words})
    assert response.status_code == 422
    assert response.json()["problem"]


@pytest.mark.parametrize("words", ["\\", "(((", "%_*.+?[", "9" * 60, "' | :* &", "🙂"])
def test_signs_are_no_patterns(lena: User, words: str) -> None:
    make_annotation(title="A van")
    make_retriever("Logos")
    kinds = {choice["kind"] for choice in offered(signed_in(lena), words)}
    assert kinds == {"page"}


def test_it_asks_the_database_a_handful_of_questions(
    lena: User, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(lena)
    offered(client, "warm")
    with django_assert_max_num_queries(8):
        offered(client, "blue van")


def test_whoever_is_signed_out_is_asked_to_sign_in(client: Client) -> None:
    assert client.get("/palette").status_code == 302
    assert client.get("/palette", headers={"HX-Request": "true"}).status_code == 401


def test_a_name_that_holds_the_text_comes_before_those_with_its_letters_alone(lena: User) -> None:
    client = signed_in(lena)
    for name in ("a long way to go soon", "see all logos"):
        make_retriever(name)
    assert titles(client, "logos", "retriever") == ["see all logos", "a long way to go soon"]
