"""How many items one person holds: the oldest give way, so that nobody keeps the queue from others."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.models import Annotation, Lease
from reviewapp.annotations.queue import leases
from reviewapp.annotations.queue.claim_next import claim_next_annotation
from reviewapp.annotations.queue.filters import QueueFilter
from tests.decisions import decide
from tests.factories import make_annotation, make_lease, make_retriever

pytestmark = pytest.mark.django_db


def held_by(person: User) -> list[int]:
    """Return the keys of the items that the person holds, the oldest lease first."""
    return list(
        Lease.objects.filter(holder=person)
        .order_by("until")
        .values_list("annotation_id", flat=True)
    )


def make_items(number: int) -> list[Annotation]:
    retriever = make_retriever()
    return [make_annotation(retriever) for _ in range(number)]


def hold(items: list[Annotation], person: User) -> None:
    """Let the person hold the items; the first runs out first."""
    for seconds, item in enumerate(items, start=1):
        make_lease(item, person, seconds=seconds)


def test_it_lets_the_oldest_go_when_one_more_is_opened(
    alice: User, bob: User, client: Client
) -> None:
    items = make_items(leases.MAX_LEASES + 3)
    make_lease(items[0], bob)
    client.force_login(alice)
    for item in items:
        assert client.get(reverse("review", args=[item.pk])).status_code == 200
    assert held_by(alice) == [item.pk for item in items[3:]]
    assert held_by(bob) == [items[0].pk]


def test_it_keeps_all_of_them_when_one_is_extended(alice: User) -> None:
    items = make_items(leases.MAX_LEASES)
    hold(items, alice)
    leases.take_lease(items[0], alice, now=timezone.now())
    assert held_by(alice) == [item.pk for item in [*items[1:], items[0]]]


def test_it_lets_nothing_go_for_what_somebody_else_holds(alice: User, bob: User) -> None:
    items = make_items(leases.MAX_LEASES + 1)
    hold(items[1:], alice)
    make_lease(items[0], bob)
    assert leases.take_lease(items[0], alice, now=timezone.now()).holder == bob
    assert len(held_by(alice)) == leases.MAX_LEASES


def test_it_lets_the_oldest_go_when_the_next_is_given(alice: User, client: Client) -> None:
    items, free = make_items(leases.MAX_LEASES), make_annotation()
    hold(items, alice)
    client.force_login(alice)
    given = client.get(reverse("next"), {"retriever": str(free.retriever_id)})
    assert given["Location"].startswith(reverse("review", args=[free.pk]))
    assert held_by(alice) == [item.pk for item in [*items[1:], free]]


def test_it_lets_the_oldest_go_when_a_decision_is_undone(alice: User) -> None:
    items = make_items(leases.MAX_LEASES + 1)
    decision = decide(items[0], alice, label="van", hold=60)
    hold(items[1:], alice)
    undo(decision.pk, actor=alice)
    assert held_by(alice) == [item.pk for item in [*items[2:], items[0]]]


def test_it_gives_others_what_was_let_go(alice: User, bob: User) -> None:
    items = make_items(leases.MAX_LEASES + 1)
    for item in items:
        leases.take_lease(item, alice, now=timezone.now())
    given = claim_next_annotation(QueueFilter(), bob, None, now=timezone.now())
    assert given == items[0].pk
