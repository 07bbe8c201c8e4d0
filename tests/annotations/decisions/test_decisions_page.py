"""A lead reads decisions: filters, totals, pages and the state of each."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.models import Decision
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels
from tests.decisions import decide, queue_decision
from tests.factories import make_annotation, make_retriever, settle_as_delivered

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def decided(alice: User, bob: User) -> dict[str, Decision]:
    """Decisions of two people, each of another kind."""
    vans = make_retriever("Vans", retriever_id="ret_vans")
    relabelled = decide(make_annotation(vans, title="Van 1"), alice, label="fake", confidence=0.9)
    confirmed = decide(make_annotation(title="Van 2"), alice)
    unclear = decide(
        make_annotation(title="Van 3"), bob, outcome="undecidable", reasoning="too dark"
    )
    disputed = make_annotation(title="Van 4")
    replaced = decide(disputed, alice, label="fake")
    latest = decide(disputed, bob, label="logo")
    taken_back = undo(
        decide(make_annotation(title="Van 5"), bob, label="fake", hold=60).pk, actor=bob
    )
    return {
        "relabelled": relabelled,
        "confirmed": confirmed,
        "unclear": unclear,
        "replaced": replaced,
        "latest": latest,
        "undone": taken_back,
    }


def listed(client: Client, query: str = "") -> list[int]:
    """Return the keys of the decisions that the page shows, in its order."""
    page = client.get(f"/decisions?{query}")
    assert page.status_code == 200
    return [row.decision.pk for row in page.context["rows"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["undone", "latest", "replaced", "unclear", "confirmed", "relabelled"]),
        ("outcome=confirmed", ["confirmed"]),
        ("outcome=undecidable", ["unclear"]),
        ("outcome=relabelled", ["undone", "replaced", "relabelled"]),
        ("outcome=corrected", ["latest"]),
        ("standing=undone", ["undone"]),
        ("standing=replaced", ["replaced"]),
        ("standing=in_force", ["latest", "unclear", "confirmed", "relabelled"]),
        ("retriever=ret_vans", ["relabelled"]),
        ("label_from=fake", ["latest"]),
        ("label_to=fake", ["undone", "replaced", "relabelled"]),
        ("moved=0.4", ["relabelled"]),
        ("moved=0.5", []),
        ("delivery=withdrawn", ["undone"]),
        ("q=%22Van+2%22", ["confirmed"]),
        ("until=1999-01-01T00:00", []),
        ("since=1999-01-01T00:00&outcome=confirmed", ["confirmed"]),
    ],
)
def test_it_filters(
    query: str, names: list[str], lena_client: Client, decided: dict[str, Decision]
) -> None:
    assert listed(lena_client, query) == [decided[name].pk for name in names]


def test_it_filters_by_several_people(
    lena_client: Client, lena: User, alice: User, bob: User, decided: dict[str, Decision]
) -> None:
    assert len(listed(lena_client, f"person={alice.pk}")) == 3
    assert len(listed(lena_client, f"person={alice.pk}&person={bob.pk}")) == 6
    assert listed(lena_client, f"person={lena.pk}") == []

    page = lena_client.get(f"/decisions?person={alice.pk}&person={bob.pk}", headers=HTMX)
    assert page["HX-Push-Url"] == f"/decisions?person={alice.pk}&person={bob.pk}"
    assert page.text.lstrip().startswith('<section id="decisions"')


def test_it_filters_by_how_far_the_delivery_got(lena_client: Client, alice: User) -> None:
    change = queue_decision(make_annotation(), alice, label="fake")
    settle_as_delivered(change, version=2)
    decide(make_annotation(), alice, label="fake")

    (key,) = listed(lena_client, "delivery=delivered")
    assert Decision.objects.get(pk=key).decision_id == change.cause
    assert "Delivered v2" in lena_client.get("/decisions?delivery=delivered").text


def test_it_words_labels_as_they_were_then(lena_client: Client, alice: User, adam: User) -> None:
    retriever = make_retriever()
    set_labels(
        retriever.pk, [Label(value="fake", title="Counterfeit")], other_allowed=True,
        base_version=0, actor=adam,
    )  # fmt: skip
    decide(make_annotation(retriever), alice, label="fake")
    set_labels(
        retriever.pk, [Label(value="fake", title="Forgery")], other_allowed=True,
        base_version=1, actor=adam,
    )  # fmt: skip

    page = lena_client.get("/decisions").text

    assert "Counterfeit" in page
    assert "Forgery" not in page


@pytest.mark.parametrize(
    "query",
    ["person=abc", "person=999999", "outcome=odd", "moved=2", "moved=far", "since=never",
     "retriever=nope", "delivery=lost", "since=2025-01-02T00:00&until=2025-01-01T00:00"],
)  # fmt: skip
def test_it_answers_422_to_a_filter_that_makes_no_sense(query: str, lena_client: Client) -> None:
    for path in ("/decisions", "/decisions/totals"):
        page = lena_client.get(f"{path}?{query}")
        assert page.status_code == 422
        assert 'role="alert"' in page.text


def test_it_says_when_nothing_matches(lena_client: Client, alice: User) -> None:
    assert "No decisions yet" in lena_client.get("/decisions").text
    assert "No matching decisions" in lena_client.get("/decisions?outcome=confirmed").text
    assert "No matching decisions" in lena_client.get("/decisions/totals").text


def test_it_counts_by_person_and_outcome(
    lena_client: Client, alice: User, decided: dict[str, Decision]
) -> None:
    page = lena_client.get("/decisions/totals")
    totals = page.context["totals"]

    counts = {
        person.username: (person.total, person.relabelled, person.corrected, person.confirmed)
        for person in totals.people
    }
    assert counts == {"alice": (3, 2, 0, 1), "bob": (3, 1, 1, 0)}
    assert (totals.sums["undone"], totals.sums["undecidable"]) == (1, 1)
    assert f'href="/decisions?person={alice.pk}&amp;outcome=confirmed"' in page.text

    narrowed = lena_client.get("/decisions/totals?outcome=undecidable").context["totals"]
    assert [(person.username, person.total) for person in narrowed.people] == [("bob", 1)]


def test_it_pages_by_key(lena_client: Client, alice: User) -> None:
    annotation = make_annotation()
    for number in range(60):
        decide(annotation, alice, label=f"label {number}")

    first = lena_client.get("/decisions?standing=not_undone")
    second = lena_client.get(first.context["pager"].after)

    keys = [row.decision.pk for page in (first, second) for row in page.context["rows"]]
    assert len(keys) == len(set(keys)) == 60
    assert keys == sorted(keys, reverse=True)
    assert "That page no longer exists" in lena_client.get("/decisions?cursor=nonsense").text


def test_it_takes_no_more_queries_for_many_decisions(lena_client: Client, alice: User) -> None:
    decide(make_annotation(), alice, label="fake")
    with CaptureQueriesContext(connection) as few:
        lena_client.get("/decisions", headers=HTMX)
    for _ in range(10):
        decide(make_annotation(), alice, label="fake")
    with CaptureQueriesContext(connection) as many:
        lena_client.get("/decisions", headers=HTMX)
    assert len(many) <= len(few) <= 9


def test_it_is_for_leads(alice_client: Client, client: Client) -> None:
    for name in ("decisions", "decision_totals"):
        assert client.get(reverse(name)).status_code == 302
        assert alice_client.get(reverse(name)).status_code == 403
        assert alice_client.post(reverse(name)).status_code == 405
