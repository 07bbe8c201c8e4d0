"""Claiming many at once: the urgent first, a person never behind a bulk, nobody left out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.outbox import claims, services, settle
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.priority import bulk_priority
from reviewapp.outbox.rate_limit.token_bucket import Rank
from tests.factories import make_annotation, make_change, settle_as_delivered

pytestmark = pytest.mark.django_db


def promise(rank: Rank, annotation: Annotation | None = None) -> Change:
    change = make_change(annotation or make_annotation())
    Change.objects.filter(pk=change.pk).update(rank=rank)
    change.refresh_from_db()
    return change


def test_it_claims_many_in_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    changes = [promise(Rank.INTERACTIVE) for _ in range(5)]
    with django_assert_max_num_queries(2):
        claimed = claims.claim_many(timezone.now(), rank=Rank.INTERACTIVE, limit=3)
    assert claimed == changes[:3]
    assert claims.claim_many(timezone.now(), rank=Rank.INTERACTIVE, limit=3) == changes[3:]


def test_it_keeps_the_ranks_apart() -> None:
    bulk, urgent = promise(Rank.BULK), promise(Rank.INTERACTIVE)
    now = timezone.now()
    assert claims.claim_many(now, rank=Rank.INTERACTIVE, limit=9) == [urgent]
    assert claims.claim_many(now, rank=Rank.BULK, limit=9) == [bulk]


def test_it_hurries_what_stands_before_something_urgent() -> None:
    annotation = make_annotation()
    first, second, urgent = (
        promise(rank, annotation) for rank in (Rank.BULK, Rank.BULK, Rank.INTERACTIVE)
    )
    now = timezone.now()
    assert claims.claim_many(now, rank=Rank.INTERACTIVE, limit=9) == [first]
    assert settle_as_delivered(first)
    assert claims.claim_many(now, rank=Rank.INTERACTIVE, limit=9) == [second]
    assert settle_as_delivered(second)
    assert claims.claim_many(now, rank=Rank.INTERACTIVE, limit=9) == [urgent]


def test_it_claims_what_was_asked_for_if_it_is_due() -> None:
    annotation = make_annotation()
    head, behind, later = (
        promise(Rank.BULK, annotation),
        promise(Rank.BULK, annotation),
        promise(Rank.BULK),
    )
    services.postpone_untried([later], until=timezone.now() + timedelta(minutes=1))
    assert claims.claim_by_id(timezone.now(), [head.pk, behind.pk, later.pk]) == [head]


def test_it_sees_the_heads_that_would_be_claimed() -> None:
    annotation = make_annotation()
    head, _, other = (
        promise(Rank.BULK, annotation),
        promise(Rank.BULK, annotation),
        promise(Rank.BULK),
    )
    promise(Rank.INTERACTIVE)
    assert list(Change.objects.heads_due(timezone.now(), rank=Rank.BULK)) == [head, other]


def test_it_renews_only_what_is_still_its_own() -> None:
    mine, lost = promise(Rank.BULK), promise(Rank.BULK)
    held = claims.claim_many(timezone.now(), rank=Rank.BULK, limit=9)
    Change.objects.filter(pk=lost.pk).update(due=timezone.now())
    before = held[0].due
    assert claims.renew(held) == [mine]
    mine.refresh_from_db()
    assert mine.due == held[0].due > before


def test_it_gives_back_only_what_is_still_its_own() -> None:
    promise(Rank.INTERACTIVE)
    now = timezone.now()
    (mine,) = claims.claim_many(now, rank=Rank.INTERACTIVE, limit=1)
    later = now + claims.CLAIM_DURATION + timedelta(seconds=1)
    (theirs,) = claims.claim_many(later, rank=Rank.INTERACTIVE, limit=1)
    claims.release([mine])
    theirs.refresh_from_db()
    assert (theirs.claimed_at, theirs.due) == (later, later + claims.CLAIM_DURATION)
    claims.release([theirs])
    theirs.refresh_from_db()
    assert (theirs.claimed_at, theirs.maybe_sent) == (None, True)


def test_it_ranks_what_is_made_in_bulk_behind_what_a_person_waits_for(alice: User) -> None:
    services.enqueue("annotations/1", fields={"label": "x"}, base={}, actor=alice)
    with bulk_priority():
        services.enqueue("annotations/2", fields={"label": "x"}, base={}, actor=alice)
    assert list(Change.objects.order_by("ref").values_list("rank", flat=True)) == [
        Rank.INTERACTIVE,
        Rank.BULK,
    ]


def test_it_settles_many_at_once_and_each_once(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    one, two, before = (promise(Rank.BULK) for _ in range(3))
    settle_as_delivered(before, version=2)
    outcomes = [
        settle.Settlement(
            change=one, state=Change.State.DELIVERED, version=5, merged={"label": ["a", "b"]}
        ),
        settle.Settlement(
            change=two, state=Change.State.CONFLICT, theirs={"label": "x"}, reason="They did."
        ),
        settle.Settlement(change=before, state=Change.State.REFUSED, reason="late"),
    ]
    with django_assert_max_num_queries(2):
        assert settle.settle(outcomes) == {one.pk, two.pk}
    changes = {change.pk: change for change in Change.objects.all()}
    assert (changes[one.pk].version, changes[one.pk].merged, changes[one.pk].state) == (
        5,
        {"label": ["a", "b"]},
        "delivered",
    )
    assert (changes[two.pk].theirs, changes[two.pk].reason) == ({"label": "x"}, "They did.")
    assert (changes[before.pk].state, changes[before.pk].version, changes[before.pk].reason) == (
        "delivered",
        2,
        "",
    )
