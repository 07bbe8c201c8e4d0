"""A lead reads figures of decisions, and everybody those of their own."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.figures.counts import MAX_COLUMNS, Tally
from reviewapp.annotations.figures.quantiles import Times
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever
from tests.decisions import decide, queue_decision
from tests.factories import make_annotation, make_bare_annotation, make_retriever
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db

# A number of a table that leads to its decisions.
LINK = re.compile(r'<a class="small-link" href="([^"]+)">([\d,]+)</a>')


@pytest.fixture
def vans() -> Retriever:
    """A retriever, of two that the decisions are about."""
    return make_retriever("Vans", retriever_id="ret_vans")


@pytest.fixture
def logos() -> Retriever:
    """The other retriever."""
    return make_retriever("Logos", retriever_id="ret_logos")


@pytest.fixture
def decided(alice: User, bob: User, vans: Retriever, logos: Retriever) -> None:
    """Six decisions of two people that count, and one that was undone."""
    for seconds in (1.0, 2.0, 3.0):
        decide(make_annotation(vans), alice, label="fake", seconds=seconds)
    decide(make_annotation(logos), alice, seconds=10.0)
    disputed = make_annotation(logos)
    decide(disputed, bob, outcome="undecidable", reasoning="too dark")
    decide(disputed, bob, label="real")
    undo(decide(make_annotation(vans), bob, label="fake", hold=60).pk, actor=bob)


def counts(tally: Tally) -> tuple[int, ...]:
    """Return how many there are: in all, confirmed, relabelled, corrected, can't tell."""
    return (tally.total, *tally.by_outcome.values())


def figures(client: Client, query: str = "") -> Any:
    """Return the figures that the page shows."""
    return client.get(f"/figures?{query}").context["figures"]


def test_it_counts_by_day_outcome_person_and_retriever(lena_client: Client, decided: None) -> None:
    shown = figures(lena_client)

    assert len(shown.periods) == 28
    assert counts(shown.total) == (6, 1, 3, 1, 1)
    assert sum(row.tally.total for row in shown.periods) == 6
    assert [(part.name, counts(tally)) for part, tally in shown.people] == [
        ("alice", (4, 1, 3, 0, 0)),
        ("bob", (2, 0, 0, 1, 1)),
    ]
    assert [(part.name, counts(tally)) for part, tally in shown.retrievers] == [
        ("Logos", (3, 1, 0, 1, 1)),
        ("Vans", (3, 0, 3, 0, 0)),
    ]


def test_it_says_how_long_decisions_took(lena_client: Client, decided: None) -> None:
    shown = figures(lena_client)

    assert shown.total.times == Times(median=2.0, slow=10.0)
    (_, of_alice), (_, of_bob) = shown.people
    assert (of_alice.times, of_bob.times) == (shown.total.times, Times())
    page = lena_client.get("/figures").text
    assert "2.0 s" in page
    assert "10.0 s" in page


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("by=person", [("alice", 4), ("bob", 2)]),
        ("by=retriever", [("Logos", 3), ("Vans", 3)]),
        (
            "by=outcome",
            [("Confirmed", 1), ("Relabelled", 3), ("Corrected", 1), ("Can't tell", 1)],
        ),
        ("by=label", [("fake", 3), ("Can't tell", 1), ("logo", 1), ("real", 1)]),
        ("by=person&outcome=corrected", [("bob", 1)]),
        ("by=person&standing=undone", [("bob", 1)]),
        ("by=person&label_to=fake", [("alice", 3)]),
        ("by=person&retriever=ret_vans", [("alice", 3)]),
    ],
)
def test_it_breaks_days_down_and_takes_the_filters_of_decisions(
    lena_client: Client, decided: None, query: str, parts: list[tuple[str, int]]
) -> None:
    shown = figures(lena_client, query)
    totals = []
    for part in shown.parts:
        total = sum(row.by_part.get(part.key, 0) for row in shown.periods)
        assert shown.by_part[part.key] == total
        totals.append((part.name, total))
    assert totals == parts


@pytest.mark.parametrize("breakdown", ["outcome", "person", "retriever", "label"])
def test_each_number_leads_to_the_decisions_it_counts(
    lena_client: Client, alice: User, decided: None, breakdown: str
) -> None:
    decide(make_bare_annotation(), alice, label="dog")
    page = unescape(lena_client.get(f"/figures?by={breakdown}&zone=Asia/Kathmandu").text)
    links = LINK.findall(page)
    assert len(links) > 15
    for address, number in set(links):
        shown = lena_client.get(address).context
        listed = shown["lines"] if address.startswith("/annotations") else shown["rows"]
        assert len(listed) == int(number), address


def test_it_says_how_far_deliveries_got(lena_client: Client, alice: User) -> None:
    for wait in (10, 20, 90):
        change = queue_decision(make_annotation(), alice, label="fake")
        at = change.created_at + timedelta(seconds=wait)
        Change.objects.filter(pk=change.pk).update(state="delivered", settled_at=at)
    conflict = queue_decision(make_annotation(), alice, label="fake")
    Change.objects.filter(pk=conflict.pk).update(state="conflict", settled_at=timezone.now())
    queue_decision(make_annotation(), alice, label="fake")

    deliveries = lena_client.get("/figures").context["deliveries"]
    states = deliveries.total.by_state
    assert (states["delivered"], states["conflict"], states["queued"]) == (3, 1, 1)
    assert deliveries.total.times.median == pytest.approx(20, abs=0.2)
    assert deliveries.total.times.slow == pytest.approx(90, abs=0.2)
    _period, today = deliveries.periods[-1]
    assert today == deliveries.total


def test_it_counts_what_waits_by_age(
    lena_client: Client, alice: User, vans: Retriever, logos: Retriever
) -> None:
    now = timezone.now()
    for hours in (1, 25, 24 * 8, 24 * 31):
        make_annotation(vans, created_at=now - timedelta(hours=hours))
    make_annotation(logos, created_at=now)
    make_annotation(logos, created_at=None)
    decide(make_annotation(vans, created_at=now), alice)

    def waiting(query: str) -> list[int]:
        return [row.count for row in lena_client.get(f"/figures?{query}").context["waiting"]]

    assert waiting("") == [2, 1, 1, 1, 1]
    assert waiting("retriever=ret_vans") == [1, 1, 1, 1, 0]
    assert waiting("retriever=none") == []
    page = unescape(lena_client.get("/figures?retriever=ret_vans").text)
    links = [link for link in LINK.findall(page) if link[0].startswith("/annotations")]
    assert len(links) == 4
    for address, number in links:
        assert len(lena_client.get(address).context["lines"]) == int(number), address


def test_everybody_sees_their_own(alice: User, bob: User, decided: None) -> None:
    client = signed_in(bob)
    shown = client.get(f"/figures/mine?by=person&person={alice.pk}").context["figures"]
    assert counts(shown.total) == (2, 0, 0, 1, 1)

    page = unescape(client.get("/figures/mine").text)
    assert "alice" not in page
    for address, number in set(LINK.findall(page)):
        assert len(client.get(address).context["rows"]) == int(number), address
    assert 'href="/figures/mine"' in client.get(f"/people/{bob.pk}/decisions").text


def test_it_is_for_leads(alice_client: Client) -> None:
    assert alice_client.get("/figures").status_code == 403
    assert "/figures?" not in alice_client.get("/figures/mine").text


@pytest.mark.parametrize("query", ["by=colour", "person=nobody", "since=2&until=1", "moved=far"])
def test_it_answers_422_to_a_filter_that_makes_no_sense(lena_client: Client, query: str) -> None:
    page = lena_client.get(f"/figures?{query}")
    assert page.status_code == 422
    assert 'role="alert"' in page.text


@pytest.mark.parametrize("query", ["", "zone=Mars/Olympus", "since=2100-01-01", "until=1999-01-01"])
def test_it_says_when_nothing_matches(lena_client: Client, query: str) -> None:
    page = lena_client.get(f"/figures?{query}")
    assert page.status_code == 200
    assert "No matching decisions" in page.text


def test_it_has_a_column_for_those_with_the_most_decisions(
    lena_client: Client, alice: User
) -> None:
    item = make_annotation()
    for number in range(MAX_COLUMNS + 1):
        decide(item, make_person(f"p{number:02}", "reviewer"), label=f"label {number}")
    decide(item, alice, label="last")
    decide(item, alice, label="very last")

    shown = figures(lena_client, "by=person")
    assert len(shown.parts) == MAX_COLUMNS
    assert shown.parts[0].name == "alice"
    assert shown.is_cut
    assert len(shown.people) == MAX_COLUMNS + 2


def test_it_takes_no_more_queries_for_many_decisions(lena_client: Client, alice: User) -> None:
    decide(make_annotation(), alice, label="fake")
    with CaptureQueriesContext(connection) as few:
        lena_client.get("/figures?by=person")
    for _ in range(5):
        decide(make_annotation(), alice, label="fake")
    with CaptureQueriesContext(connection) as many:
        lena_client.get("/figures?by=person")
    assert len(many) <= len(few) <= 24
