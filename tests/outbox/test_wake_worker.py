"""Waking a worker: one wake-up that waits is enough for all."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import DjangoAssertNumQueries

from reviewapp.outbox import services, wake_worker
from tests.annotations.racing import at_once

pytestmark = pytest.mark.django_db


def test_it_leaves_one_wake_up_however_often_it_is_asked(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    services.wake()
    with django_assert_max_num_queries(5):
        services.wake()
    assert ProcrastinateJob.objects.filter(task_name="sync.deliver", status="todo").count() == 1


def test_it_wakes_again_when_the_last_wake_up_is_under_way() -> None:
    services.wake()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'sync.deliver'"
        )
    services.wake()
    assert ProcrastinateJob.objects.filter(task_name="sync.deliver").count() == 2


def test_it_belongs_to_the_transaction_in_which_it_is_made() -> None:
    for at in (None, timezone.now()):
        with suppress(ZeroDivisionError), transaction.atomic():
            wake_worker.queue_wakeup("sync.deliver", at=at)
            raise ZeroDivisionError
    assert not ProcrastinateJob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_leaves_one_wake_up_when_two_wake_at_the_same_moment() -> None:
    def wake_within_a_transaction() -> None:
        with transaction.atomic():
            services.wake()
            # Still good after the other one was first.
            assert ProcrastinateJob.objects.filter(status="todo").count() == 1

    for _ in range(5):
        assert at_once(*[wake_within_a_transaction] * 4) == [None] * 4
        assert ProcrastinateJob.objects.filter(task_name="sync.deliver", status="todo").count() == 1
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")


def test_it_raises_djangos_error_when_the_database_cannot_be_asked() -> None:
    def time_out(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return execute("SELECT pg_sleep(1)", None, many, context)

    with pytest.raises(OperationalError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
        with connection.execute_wrapper(time_out):
            services.wake(at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_disk_with_whatever_else_is_written() -> None:
    def commits() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return str(cursor.fetchone()[0])

    before = commits()
    with transaction.atomic():
        services.wake()
        assert commits() == before
    services.wake()
    assert commits() == before
