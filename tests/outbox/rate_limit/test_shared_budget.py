"""The budget's row: shared by everybody, paid back, lowered by refusals, and seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from reviewapp.outbox.models import Budget
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.rate_limit.token_bucket import Rank
from tests.annotations.racing import at_once


@pytest.fixture(autouse=True)
def one_a_minute(settings: Settings) -> None:
    """Allow so few requests that none comes back during a test, however slow the machine."""
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 1


@pytest.mark.django_db
def test_it_begins_full_and_runs_out() -> None:
    assert shared_budget.budget_status().tokens == {
        Rank.INTERACTIVE: 2,
        Rank.BULK: 2,
        Rank.BACKGROUND: 1,
    }
    grants = [shared_budget.reserve(Rank.INTERACTIVE, want=1, least=1) for _ in range(3)]
    assert [grant.tokens for grant in grants] == [1, 1, 0]
    assert 0 < grants[-1].wait <= 120
    assert shared_budget.reserve(Rank.BACKGROUND, want=1).tokens == 1


@pytest.mark.django_db
def test_it_takes_back_what_was_not_used() -> None:
    assert shared_budget.reserve(Rank.INTERACTIVE, want=2, whole=True).tokens == 2
    shared_budget.refund_tokens(Rank.INTERACTIVE, 1)
    assert shared_budget.budget_status().tokens[Rank.INTERACTIVE] == 1
    assert shared_budget.reserve(Rank.INTERACTIVE, want=2, back=1, whole=True).tokens == 2


@pytest.mark.django_db
def test_it_gives_a_chunk_at_a_time(settings: Settings) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 600
    assert shared_budget.reserve(Rank.INTERACTIVE, want=30).tokens == 5
    assert shared_budget.reserve(Rank.INTERACTIVE, want=30, whole=True).tokens == 30


@pytest.mark.django_db
def test_it_is_shut_and_lowered_by_a_refusal(settings: Settings) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 60
    shared_budget.lower_limit(retry_after=300, reason="Mixpeek answered 429.")
    now = shared_budget.budget_status()
    assert (now.configured, now.allowed, now.is_lowered, now.why) == (
        60,
        30,
        True,
        "Mixpeek answered 429.",
    )
    assert sum(now.tokens.values()) == 0
    assert now.lowered_since is not None
    assert now.shut_until is not None
    assert now.lowered_until is not None
    assert now.shut_until - now.lowered_since == timedelta(seconds=300)
    assert now.lowered_until - now.lowered_since == timedelta(minutes=5)
    assert shared_budget.reserve(Rank.INTERACTIVE, want=1).wait > 200


@pytest.mark.django_db
def test_it_hears_of_the_limit(settings: Settings) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 60
    shared_budget.record_limit(per_minute=20)
    assert (shared_budget.budget_status().allowed, shared_budget.budget_status().told) == (20, 20)
    shared_budget.record_limit(opens_in=900)
    assert shared_budget.budget_status().shut_until is not None


@pytest.mark.django_db
def test_it_sees_and_spends_in_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    shared_budget.reserve(Rank.BULK, want=1)
    with django_assert_max_num_queries(2):
        shared_budget.budget_status()
    with django_assert_max_num_queries(3):
        shared_budget.reserve(Rank.BULK, want=1)


@pytest.mark.django_db(transaction=True)
def test_it_gives_no_token_twice() -> None:
    def spend() -> int:
        return sum(shared_budget.reserve(Rank.INTERACTIVE, want=1).tokens for _ in range(5))

    spent = at_once(*[spend] * 4)
    assert sum(tokens for tokens in spent if isinstance(tokens, int)) == 2
    assert Budget.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_disk_with_whatever_else_is_written() -> None:
    def commits() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return str(cursor.fetchall()[0][0])

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = 'on'")
        shared_budget.reserve(Rank.BULK, want=1)
        assert commits() == "on"
