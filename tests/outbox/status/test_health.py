"""Every page says when nobody is there to deliver."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.outbox.models import Pause
from reviewapp.outbox.status.health import SILENT_SECONDS, delivery_health, workers_alive

pytestmark = pytest.mark.django_db
SAID = "No worker is running."


def beat(seconds_ago: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp() - %s * interval '1 second')",
            [seconds_ago],
        )


@pytest.mark.parametrize(
    "address", ["/annotations", "/attention", "/preferences", "/retrievers", "/no/such/page"]
)
def test_it_says_on_every_page_that_no_worker_is_there(
    client: Client, alice: User, address: str
) -> None:
    client.force_login(alice)
    assert SAID in client.get(address).content.decode()
    beat(SILENT_SECONDS + 1)
    assert SAID in client.get(address).content.decode()
    beat(1)
    assert SAID not in client.get(address).content.decode()


def test_it_says_so_within_half_a_minute(client: Client, alice: User) -> None:
    client.force_login(alice)
    beat(30)
    assert SAID in client.get("/annotations").content.decode()


def test_it_tells_strangers_nothing(client: Client) -> None:
    assert SAID not in client.get("/accounts/login/").content.decode()


def test_it_finds_out_in_few_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    Pause.objects.create(reason="The key is refused.")
    beat(1)
    with django_assert_max_num_queries(2):
        now = delivery_health()
    assert now.worker_alive
    assert now.pause
    assert now.pause.reason == "The key is refused."
    assert now.pause == Pause.objects.get()


def test_it_counts_the_living() -> None:
    for age in (0, 1, SILENT_SECONDS + 1):
        beat(age)
    assert workers_alive() == 2
    assert delivery_health().pause is None
