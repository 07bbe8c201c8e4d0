"""The numbers on the chips."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.queue import counts
from reviewapp.annotations.queue.filters import QueueFilter, Show
from tests.factories import LONG_AGO, make_annotation, make_change, make_set_aside

pytestmark = pytest.mark.django_db


def test_it_counts_every_chip_in_few_queries(
    alice: User, bob: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_annotation()
    make_set_aside(make_annotation(), alice)
    make_annotation(status="decided", reviewer=alice, decided_at=LONG_AGO)
    make_change(
        make_annotation(status="undecidable", reviewer=bob, decided_at=LONG_AGO), "conflict"
    )
    make_change(make_annotation(status="decided", reviewer=bob, decided_at=LONG_AGO))
    with django_assert_max_num_queries(2):
        number = counts.count_items(QueueFilter(), alice).by_show()
    assert number == {
        Show.WAITING: 1,
        Show.MINE: 1,
        Show.DEFERRED: 1,
        Show.DRAFTS: 0,
        Show.DECIDED: 3,
        Show.CONFLICT: 1,
        Show.UNDELIVERED: 1,
        Show.ALL: 5,
    }


def test_it_counts_a_search_among_what_it_finds(alice: User) -> None:
    for label in ("logo", "logo", "parody"):
        make_annotation(label=label, words="harbour lights")
    make_annotation(words="something else", label="logo")
    make_annotation(
        status="decided", reviewer=alice, decided_at=LONG_AGO, label="logo", words="harbour"
    )
    number = counts.count_items(QueueFilter(q="harbour", label="logo"), alice).by_show()
    assert (number[Show.WAITING], number[Show.MINE], number[Show.ALL]) == (2, 1, 3)


def test_it_counts_for_each_person_and_filter_although_the_query_is_built_once(
    alice: User, bob: User
) -> None:
    first, second = make_annotation(label="logo"), make_annotation(label="parody")
    make_set_aside(first, alice)
    make_set_aside(second, bob)
    waiting = {}
    for who in (alice, bob):
        for label in ("logo", "parody", "none"):
            by_show = counts.count_items(QueueFilter(label=label), who).by_show()
            waiting[who.username, label] = by_show[Show.WAITING]
    assert waiting == {
        ("alice", "logo"): 0, ("alice", "parody"): 1, ("alice", "none"): 0,
        ("bob", "logo"): 1, ("bob", "parody"): 0, ("bob", "none"): 0,
    }  # fmt: skip
    retriever = first.retriever_id
    assert counts.count_items(QueueFilter(retriever=retriever), bob).all == 1
    assert counts.count_items(QueueFilter(retriever=second.retriever_id), bob).waiting == 0
