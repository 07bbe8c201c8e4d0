"""Waking a worker: one wake-up that waits is enough for all."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import DjangoAssertNumQueries

from reviewapp.outbox import services

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
