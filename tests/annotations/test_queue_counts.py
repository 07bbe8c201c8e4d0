"""The numbers on the chips."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations import queue
from reviewapp.annotations.filters import QueueFilter, Show
from tests.annotations.factories import LONG_AGO, make_annotation, make_change, set_aside

pytestmark = pytest.mark.django_db


def test_it_counts_every_chip_in_one_query(
    alice: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_annotation()
    set_aside(make_annotation(), alice)
    make_annotation(status="decided", reviewer=alice, decided_at=LONG_AGO)
    make_change(make_annotation(status="undecidable", reviewer=bob, decided_at=LONG_AGO), "conflict")
    make_change(make_annotation(status="decided", reviewer=bob, decided_at=LONG_AGO))
    with django_assert_num_queries(1):
        number = queue.counts(QueueFilter(), alice)
    assert number == {
        Show.WAITING: 1,
        Show.MINE: 1,
        Show.DEFERRED: 1,
        Show.DECIDED: 3,
        Show.CONFLICT: 1,
        Show.UNDELIVERED: 1,
        Show.ALL: 5,
    }
