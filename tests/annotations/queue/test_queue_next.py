"""Who is given what next: in the filter's order, and never what somebody else has open."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue import pages, querysets
from reviewapp.annotations.queue.filters import QueueFilter, Show, Sort
from tests.factories import LONG_AGO, make_annotation, make_lease, make_retriever, make_set_aside

pytestmark = pytest.mark.django_db


def sure(*values: float | None) -> list[Annotation]:
    return [make_annotation(confidence=value) for value in values]


def test_it_gives_the_least_sure_first_and_then_on(alice: User) -> None:
    second, first, third = sure(0.5, None, 0.9)
    assert querysets.candidates(QueueFilter(), alice).first() == first
    assert querysets.candidates(QueueFilter(), alice, first).first() == second
    assert querysets.candidates(QueueFilter(), alice, second).first() == third


def test_it_ends_at_the_end(alice: User) -> None:
    _, last = sure(0.1, 0.9)
    assert not querysets.candidates(QueueFilter(), alice, last).exists()


def test_it_goes_on_from_where_the_item_was_before_it_was_decided(alice: User) -> None:
    decided, behind, _ = sure(0.1, 0.2, 0.3)
    Annotation.objects.filter(pk=decided.pk).update(
        status="decided", confidence=1, decided_at=LONG_AGO
    )
    assert querysets.candidates(QueueFilter(), alice, decided).first() == behind


def test_it_never_gives_what_somebody_else_holds_until_they_let_go(alice: User, bob: User) -> None:
    held, run_out, mine = sure(0.1, 0.2, 0.3)
    make_lease(held, bob)
    make_lease(run_out, bob, seconds=-1)
    make_lease(mine, alice)
    assert list(querysets.candidates(QueueFilter(), alice)) == [run_out, mine]
    assert list(querysets.candidates(QueueFilter(), bob)) == [held, run_out]


def test_it_does_not_bring_back_what_i_set_aside_unless_i_ask_for_it(
    alice: User, bob: User
) -> None:
    skipped, deferred, free = sure(0.1, 0.2, 0.3)
    make_set_aside(skipped, alice, "skipped")
    make_set_aside(deferred, alice)
    assert list(querysets.candidates(QueueFilter(), alice)) == [free]
    assert list(querysets.candidates(QueueFilter(show=Show.ALL), alice)) == [free]
    assert list(querysets.candidates(QueueFilter(show=Show.DEFERRED), alice)) == [deferred]
    assert list(querysets.candidates(QueueFilter(), bob)) == [skipped, deferred, free]


def test_it_follows_filter_and_order(alice: User) -> None:
    brand = make_retriever("Brand")
    low, high = make_annotation(brand, confidence=0.1), make_annotation(brand, confidence=0.9)
    make_annotation(confidence=0.5)
    queue_filter = QueueFilter(retriever=brand.pk, sort=Sort.MOST_SURE)
    assert querysets.candidates(queue_filter, alice).first() == high
    assert querysets.candidates(queue_filter, alice, high).first() == low


def test_it_walks_through_decided_items_when_these_are_what_is_shown(alice: User) -> None:
    older, newer = (
        make_annotation(status="decided", reviewer=alice, decided_at=LONG_AGO.replace(day=day))
        for day in (3, 4)
    )
    assert querysets.candidates(QueueFilter(show=Show.MINE), alice, newer).first() == older


def test_it_goes_back_through_the_list_as_shown(alice: User, bob: User) -> None:
    first, held, last = sure(0.1, 0.5, 0.9)
    make_lease(held, bob)
    assert pages.previous_key(QueueFilter(), alice, last) == held.pk
    assert pages.previous_key(QueueFilter(), alice, first) is None


def test_it_finds_the_next_and_the_previous_in_few_queries(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    first, _ = sure(0.1, 0.5)
    with django_assert_max_num_queries(2):
        querysets.candidates(QueueFilter(), alice, first).first()
    with django_assert_max_num_queries(2):
        pages.previous_key(QueueFilter(), alice, first)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None
)
@given(
    confidences=st.lists(st.none() | st.sampled_from([0.0, 0.3, 0.3, 1.0]), min_size=1, max_size=6),
    sort=st.sampled_from([sort for sort in Sort if sort != Sort.DECIDED]),
)
def test_it_comes_by_every_item_exactly_once(
    alice: User, confidences: list[float | None], sort: Sort
) -> None:
    Annotation.objects.all().delete()
    expected = {annotation.pk for annotation in sure(*confidences)}
    queue_filter = QueueFilter(sort=sort)
    seen: list[int] = []
    item = querysets.candidates(queue_filter, alice).first()
    while item is not None and len(seen) < 10:
        seen.append(item.pk)
        item = querysets.candidates(queue_filter, alice, item).first()
    assert (set(seen), len(seen)) == (expected, len(expected))
