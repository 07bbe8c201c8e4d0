"""Claiming: due changes, the oldest on each ref, to one worker at a time, safe from crashes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.outbox import claims, services
from reviewapp.outbox.models import Change
from reviewapp.sync.client import client
from tests.factories import make_annotation, make_change, settle_as_delivered, settle_as_refused

pytestmark = pytest.mark.django_db


def test_it_takes_the_oldest_of_each_ref() -> None:
    annotation, other_annotation = make_annotation(), make_annotation()
    first, second, third = (
        make_change(annotation),
        make_change(annotation),
        make_change(other_annotation),
    )
    now = timezone.now()
    assert [claims.claim(now), claims.claim(now), claims.claim(now)] == [first, third, None]
    assert settle_as_delivered(first)
    assert claims.claim(now) == second


def test_it_is_due_again_when_whoever_claimed_it_died() -> None:
    change = make_change(make_annotation())
    now = timezone.now()
    assert claims.claim(now) == change
    assert claims.claim(now + claims.CLAIM_DURATION - timedelta(seconds=1)) is None
    assert claims.claim(now + claims.CLAIM_DURATION) == change


@pytest.mark.parametrize("seconds", [1, 4, 5, 30, 60])
def test_it_outlasts_the_three_requests_of_a_delivery(seconds: int, settings: Settings) -> None:
    settings.MIXPEEK_API_KEY, settings.MIXPEEK_NAMESPACE = "sk_test", "ns"
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_TIMEOUT = "http://127.0.0.1:9", seconds
    assert claims.claim_duration(seconds).total_seconds() > 3 * client().longest_call


def test_it_lasts_as_long_as_the_operations_say() -> None:
    assert claims.claim_duration(30) == timedelta(seconds=240)


def test_it_claims_nothing_while_paused_except_to_probe() -> None:
    change = make_change(make_annotation())
    services.pause(reason="key")
    assert claims.claim(timezone.now()) is None
    assert claims.claim(timezone.now(), probing=True) == change


def test_it_settles_once() -> None:
    change = make_change(make_annotation())
    assert settle_as_delivered(change, version=2)
    assert not settle_as_refused(change, reason="late")
    assert not services.postpone(change, until=timezone.now(), reason="late")
    assert not services.withdraw(change, reason="late")
    assert Change.objects.get().state == "delivered"


def test_it_leaves_the_object_alone_when_another_was_faster() -> None:
    change = make_change(make_annotation())
    stale = Change.objects.get()
    assert settle_as_delivered(change, version=2)

    assert not services.withdraw(stale, reason="late")
    assert not services.withdraw_unsent(stale, reason="late")
    assert not services.withdraw_held(stale, reason="late")
    assert not services.reinstate(stale, state="refused", reason="late")
    assert not settle_as_refused(stale, reason="late")

    assert (stale.state, stale.reason, stale.settled_at) == ("queued", "", None)


def test_it_wakes_nobody_when_nothing_was_postponed(
    django_capture_on_commit_callbacks: Any,
) -> None:
    change = make_change(make_annotation())
    assert settle_as_delivered(change, version=2)
    later = timezone.now() + timedelta(minutes=1)

    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        services.postpone(change, until=later, reason="late")
        services.postpone_many([change], until=later, reason="late")
        services.postpone_untried([change], until=later)
        services.resume()

    assert not callbacks
    assert not ProcrastinateJob.objects.exists()


def test_it_wakes_a_worker_for_what_was_postponed(django_capture_on_commit_callbacks: Any) -> None:
    change = make_change(make_annotation())
    later = timezone.now() + timedelta(minutes=1)

    with django_capture_on_commit_callbacks(execute=True):
        services.postpone_many([change], until=later, reason="Away.")

    assert ProcrastinateJob.objects.get(task_name="sync.deliver").scheduled_at == later
    change.refresh_from_db()
    assert (change.attempts, change.due, change.reason) == (1, later, "Away.")


def test_it_counts_failures_and_keeps_the_reason() -> None:
    change = make_change(make_annotation())
    until = timezone.now() + timedelta(seconds=9)
    assert services.postpone(change, until=until, reason="no answer in 30 s")
    change.refresh_from_db()
    assert (change.attempts, change.due, change.reason, change.state) == (
        1,
        until,
        "no answer in 30 s",
        "queued",
    )


@pytest.mark.django_db(transaction=True)
def test_it_gives_a_row_to_one_of_two_workers() -> None:
    change = make_change(make_annotation())
    other = connections.create_connection("default")
    try:
        with connection.cursor() as mine:
            mine.execute("BEGIN")
            mine.execute("SELECT 1 FROM outbox_change WHERE id = %s FOR UPDATE", [change.pk])
            with other.cursor() as theirs:
                theirs.execute("SELECT id FROM outbox_change FOR UPDATE SKIP LOCKED")
                assert theirs.fetchall() == []
            mine.execute("ROLLBACK")
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
def test_it_wakes_one_worker_for_many_changes(alice: User) -> None:
    for number in range(3):
        services.enqueue(f"annotations/{number}", fields={"label": "x"}, base={}, actor=alice)
    assert ProcrastinateJob.objects.filter(task_name="sync.deliver", status="todo").count() == 1
    services.wake(at=timezone.now() + timedelta(minutes=1))
    assert ProcrastinateJob.objects.filter(task_name="sync.deliver", status="todo").count() == 2
