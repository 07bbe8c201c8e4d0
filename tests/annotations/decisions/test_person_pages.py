"""The pages of one person: their decisions, and what others decided otherwise since."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.fields import SHARED_FIELDS
from tests.decisions import decide
from tests.factories import distinct_values, make_annotation
from tests.people import signed_in

pytestmark = pytest.mark.django_db


def decisions_of(person: User) -> str:
    return reverse("decisions_of_person", args=[person.pk])


def corrections_of(person: User) -> str:
    return reverse("corrections_of_person", args=[person.pk])


def test_it_lists_the_persons_decisions_newest_first(
    alice: User, lena: User, lena_client: Client
) -> None:
    decide(make_annotation(title="Van 7"), alice, label="logo")
    decide(make_annotation(title="Van 8"), alice, label="counterfeit")
    decide(make_annotation(title="Van 9"), lena, label="logo")

    page = lena_client.get(decisions_of(alice)).text

    assert page.index("Van 8") < page.index("Van 7")
    assert "Van 9" not in page


def test_it_takes_the_filters_of_decisions_but_for_people(
    alice: User, bob: User, alice_client: Client
) -> None:
    decide(make_annotation(title="Van 7"), alice, label="fake")
    decide(make_annotation(title="Van 8"), alice)
    decide(make_annotation(title="Van 9"), bob)

    page = alice_client.get(f"{decisions_of(alice)}?outcome=confirmed&person={bob.pk}").text
    assert "Van 8" in page
    assert "Van 7" not in page
    assert "Van 9" not in page
    assert "No matching decisions" in alice_client.get(f"{decisions_of(alice)}?moved=0.9").text
    assert alice_client.get(f"{decisions_of(alice)}?moved=far").status_code == 422


def test_people_see_their_own_and_nobody_elses(alice: User, bob: User, stranger: User) -> None:
    for address in (decisions_of, corrections_of):
        assert signed_in(alice).get(address(alice)).status_code == 200
        assert signed_in(alice).get(address(bob)).status_code == 403
        assert signed_in(stranger).get(address(stranger)).status_code == 403
    assert f'href="{decisions_of(alice)}"' in signed_in(alice).get("/queue").text


def test_it_says_that_there_are_none(alice_client: Client, alice: User) -> None:
    assert "No decisions yet" in alice_client.get(decisions_of(alice)).text
    assert "No corrections" in alice_client.get(corrections_of(alice)).text


def test_it_is_unknown_for_nobody(lena_client: Client) -> None:
    assert lena_client.get("/people/999999/decisions").status_code == 404
    assert lena_client.get("/people/999999/corrections").status_code == 404


def test_a_decision_leads_to_its_person(alice: User, lena_client: Client, bob: User) -> None:
    decision = decide(make_annotation(), alice, label="logo")
    page = reverse("decision", args=[decision.pk])

    assert decisions_of(alice) in lena_client.get(page).text
    assert decisions_of(alice) in signed_in(alice).get(page).text
    assert decisions_of(alice) not in signed_in(bob).get(page).text


def test_an_account_leads_to_its_decisions(alice: User, adam_client: Client) -> None:
    assert decisions_of(alice) in adam_client.get(reverse("person", args=[alice.pk])).text


def corrected_titles(client: Client, person: User) -> list[str]:
    rows = client.get(corrections_of(person)).context["rows"]
    return [row.corrected.title for row in rows]


def test_it_shows_what_others_decided_otherwise(
    alice: User, bob: User, alice_client: Client
) -> None:
    corrected = make_annotation(title="Van 1")
    decide(corrected, alice, label="fake")
    decide(corrected, bob, label="real", reasoning="the badge is right")
    agreed = make_annotation(title="Van 2")
    decide(agreed, alice, label="fake")
    decide(agreed, bob)
    own = make_annotation(title="Van 3")
    decide(own, alice, label="fake")
    decide(own, alice, label="real")

    assert corrected_titles(alice_client, alice) == ["Van 1"]
    page = alice_client.get(corrections_of(alice)).text
    assert "the badge is right" in page
    assert corrected_titles(signed_in(bob), bob) == []


@pytest.mark.parametrize("name", SHARED_FIELDS)
def test_another_value_of_a_shared_field_is_a_correction(
    name: str, alice: User, bob: User, alice_client: Client
) -> None:
    annotation = make_annotation(title="Van 1")
    decide(annotation, alice, **distinct_values(0))
    decide(annotation, bob, **{name: distinct_values(1)[name]})

    assert corrected_titles(alice_client, alice) == ["Van 1"]


def test_it_leaves_out_what_was_undone(alice: User, bob: User, alice_client: Client) -> None:
    annotation = make_annotation(title="Van 1")
    decide(annotation, alice, label="fake")
    undo(decide(annotation, bob, label="real", hold=60).pk, actor=bob)

    assert corrected_titles(alice_client, alice) == []


def test_it_pages_corrections_by_key(alice: User, bob: User, alice_client: Client) -> None:
    annotation = make_annotation()
    for number in range(60):
        decide(annotation, alice, label=f"fake {number}")
        decide(annotation, bob, label=f"real {number}")

    first = alice_client.get(corrections_of(alice))
    second = alice_client.get(first.context["pager"].after)
    back = alice_client.get(second.context["pager"].before)

    keys = [row.corrected.decision.pk for page in (first, second) for row in page.context["rows"]]
    assert len(keys) == len(set(keys)) == 60
    assert keys == sorted(keys, reverse=True)
    assert [row.corrected.decision.pk for row in back.context["rows"]] == keys[:50]
