"""A filter with more choices than it offers completes what is typed, by any part of a name."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.retrievers.models import Retriever
from tests.factories import LONG_AGO, make_annotation, make_retriever
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db
MANY = 501


@pytest.fixture
def many(db: None) -> list[Retriever]:
    """More retrievers than a filter offers; the last one by name has the number 501."""
    rows = []
    for number in range(1, MANY + 1):
        name = f"find logos {number:03}"
        rows.append(Retriever(retriever_id=f"ret_{number}", name=name, seen_at=LONG_AGO))
    return Retriever.objects.bulk_create(rows)


def offered(client: Client, kind: str, **typed: str) -> dict[str, str]:
    """Return the names that complete a text, each with the key that it chooses."""
    response = client.get(f"/completions/{kind}", typed, headers={"HX-Request": "true"})
    assert response.status_code == 200
    options = re.findall(r'<option value="([^"]*)" data-key="([^"]*)">', response.content.decode())
    return {unescape(title): unescape(key) for title, key in options}


def test_it_finds_the_last_of_more_retrievers_than_a_filter_offers(
    alice_client: Client, many: list[Retriever]
) -> None:
    last = many[-1]
    page = alice_client.get("/annotations").content.decode()
    assert last.name not in page
    assert 'data-chooses="id_retriever"' in page
    assert offered(alice_client, "retrievers", q="LOGOS 501") == {last.name: str(last.pk)}
    assert offered(alice_client, "retriever-ids", q="501") == {last.name: "ret_501"}
    chosen = alice_client.get("/annotations", {"retriever": last.pk}).content.decode()
    assert f'<option value="{last.pk}" selected>{last.name}</option>' in chosen


def test_it_offers_twenty_and_first_what_begins_with_the_text(
    alice_client: Client, many: list[Retriever]
) -> None:
    make_retriever("zz")
    for number in range(30):
        make_retriever(f"a zz {number}")
    names = list(offered(alice_client, "retrievers", q="zz"))
    assert names[0] == "zz"
    assert len(names) == 20


@pytest.mark.parametrize("address", ["/decisions", "/figures", "/history", "/deliveries"])
def test_it_has_a_field_on_each_page_with_a_long_list_and_none_beside_a_short_one(
    lena: User, address: str
) -> None:
    client = signed_in(lena)
    assert "data-chooses" not in client.get(address).content.decode()

    people = [User(username=f"person {number}") for number in range(MANY)]
    for person in people:
        person.username_key = person.username
    User.objects.bulk_create(people)
    assert 'data-chooses="id_person"' in client.get(address).content.decode()


def test_it_completes_people_labels_and_tags(alice: User) -> None:
    client = signed_in(alice)
    tara = make_person("tara")
    for label in ("dupe", "confirmed_dupe", "Dupe?", "other"):
        make_annotation(label=label)
    make_retriever(tags=["triage", "old triage", "new"])

    assert offered(client, "people", q="AR") == {"tara": str(tara.pk)}
    assert list(offered(client, "labels", label_from="dupe")) == ["Dupe?", "dupe", "confirmed_dupe"]
    assert list(offered(client, "tags", q="Triage")) == ["triage", "old triage"]


@pytest.mark.parametrize("text", ["nul\0byte", "x" * 201, "nobody's"])
def test_it_offers_nothing_for_what_no_name_holds(alice_client: Client, text: str) -> None:
    assert offered(alice_client, "people", q=text) == {}


def test_it_knows_no_other_lists(alice_client: Client) -> None:
    assert alice_client.get("/completions/passwords", {"q": "a"}).status_code == 404
