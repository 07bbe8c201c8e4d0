"""An empty list says why."""

from __future__ import annotations

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.querysets import explain_empty_queue
from tests.collapsed import collapsed
from tests.factories import make_annotation, make_lease, make_set_aside

pytestmark = pytest.mark.django_db


def test_it_counts_what_others_hold_and_knows_the_first_to_come_free(
    alice: User, bob: User
) -> None:
    soon, later = make_annotation(label="x"), make_annotation(label="x")
    first = make_lease(soon, bob, seconds=60)
    make_lease(later, bob, seconds=600)
    make_lease(make_annotation(label="other"), bob, seconds=10)
    make_lease(make_annotation(label="x"), bob, seconds=-10)
    why = explain_empty_queue(QueueFilter(label="x"), alice)
    assert (why.held, why.free_at, why.narrowed) == (2, first.until, True)


def test_it_counts_what_i_set_aside_myself(alice: User, bob: User) -> None:
    make_set_aside(make_annotation(), alice)
    make_set_aside(make_annotation(), alice, "skipped")
    make_set_aside(make_annotation(status="decided"), alice, "skipped")
    make_set_aside(make_annotation(), bob)
    why = explain_empty_queue(QueueFilter(), alice)
    assert (why.deferred, why.skipped, why.held, why.free_at) == (1, 1, 0, None)


def page(client: Client, person: User, address: str) -> str:
    client.force_login(person)
    return collapsed(client.get(f"/annotations{address}"))


def test_it_says_that_nothing_has_been_pulled(client: Client, alice: User) -> None:
    assert "Nothing has been pulled from Mixpeek yet" in page(client, alice, "")


def test_it_offers_to_clear_filters_and_stays_in_the_same_part(client: Client, alice: User) -> None:
    make_annotation()
    markup = page(client, alice, "?show=all&q=zebra")
    assert "Nothing matches these filters" in markup
    assert 'href="/annotations?show=all">Clear filters' in markup


def test_it_says_that_i_deferred_the_rest(client: Client, alice: User) -> None:
    make_set_aside(make_annotation(), alice)
    markup = page(client, alice, "")
    assert "Nothing is waiting" in markup
    assert '1 is <a href="/annotations?show=deferred">deferred by you</a>.' in markup


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("mine", "You have not decided anything yet"),
        ("deferred", "No deferred items"),
        ("decided", "Nothing has been decided yet"),
        ("conflict", "No conflicts and no refusals"),
        ("undelivered", "Everything has been delivered to Mixpeek"),
    ],
)
def test_it_has_a_sentence_for_each_part(
    client: Client, alice: User, part: str, sentence: str
) -> None:
    make_annotation()
    assert sentence in page(client, alice, f"?show={part}")
