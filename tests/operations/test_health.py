"""Alive and ready: what a probe is told, and what it takes to be taken out of rotation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.operations import health_checks
from reviewapp.outbox import services
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.health import SILENT_SECONDS
from tests.factories import make_annotation, make_change
from tests.sandbox_data import write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

TOKEN = "a-token-nobody-guesses"
NOBODY_THERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def mixpeek(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    folder = write_data_folder(tmp_path_factory.mktemp("upstream"))
    return sandboxes.namespace(folder)


@pytest.fixture
def all_well(db: None, mixpeek: Box, settings: Settings) -> None:
    settings.MIXPEEK_BASE_URL, settings.METRICS_TOKEN = mixpeek.url, TOKEN
    beat()


def beat(seconds_ago: float = 0) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp() - %s * interval '1 second')",
            [seconds_ago],
        )


def silence() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")


def health_body(client: Client, *, status: int = 200, **headers: str) -> dict[str, Any]:
    response = client.get("/health/ready", headers=headers or None)
    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]
    answer: dict[str, Any] = response.json()
    return answer


def test_it_is_alive_without_asking_anything(client: Client) -> None:
    # No `db`: asking the database would raise.
    response = client.get("/health/live")
    assert (response.status_code, response.content) == (200, b"alive\n")


def test_it_is_ready_when_all_is_well(client: Client, all_well: None) -> None:
    assert health_body(client) == {
        "status": "ready",
        "checks": {
            "database": "ok",
            "migrations": "ok",
            "worker": "ok",
            "changes": "ok",
            "upstream": "ok",
        },
    }


def test_it_stays_in_rotation_without_a_worker(client: Client, all_well: None) -> None:
    silence()
    beat(SILENT_SECONDS + 1)
    answer = health_body(client)
    assert (answer["status"], answer["checks"]["worker"]) == ("degraded", "degraded")
    beat()
    assert health_body(client)["status"] == "ready"


@pytest.mark.parametrize(("age", "status"), [(600, "ok"), (901, "degraded")])
def test_it_says_when_the_oldest_change_is_late(
    client: Client, all_well: None, age: int, status: str
) -> None:
    for created, state in ((age, "queued"), (90_000, "delivered"), (90_000, "refused")):
        change = make_change(make_annotation(), state)
        Change.objects.filter(pk=change.pk).update(
            created_at=timezone.now() - timedelta(seconds=created)
        )
    assert health_body(client)["checks"]["changes"] == status


def test_it_says_that_deliveries_are_paused(client: Client, all_well: None) -> None:
    services.pause(reason="The key is refused.")
    assert health_body(client)["checks"]["changes"] == "degraded"
    assert (
        health_body(client, Authorization=f"Bearer {TOKEN}")["checks"]["changes"]["paused"]
        == "The key is refused."
    )


def test_it_stays_in_rotation_without_mixpeek(
    client: Client, all_well: None, settings: Settings
) -> None:
    settings.MIXPEEK_BASE_URL = NOBODY_THERE
    answer = health_body(client)
    assert (answer["status"], answer["checks"]["upstream"]) == ("degraded", "degraded")


def test_it_is_out_of_rotation_until_it_is_migrated(client: Client, all_well: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'outbox' AND name = '0001_initial'"
        )
    answer = health_body(client, status=503, Authorization=f"Bearer {TOKEN}")
    assert answer["status"] == "down"
    assert answer["checks"]["migrations"] == {"status": "down", "missing": ["outbox.0001_initial"]}
    assert answer["checks"]["worker"] == {"status": "unknown"}


@pytest.mark.django_db(transaction=True)
def test_it_is_out_of_rotation_without_a_database(client: Client, all_well: None) -> None:
    silence()
    address = connection.settings_dict
    name = address["NAME"]
    connection.close()
    address["NAME"] = "no_such_database"
    try:
        assert client.get("/health/live").status_code == 200
        answer = health_body(client, status=503)
        body = health_body(client, status=503, Authorization=f"Bearer {TOKEN}")
    finally:
        connection.close()
        address["NAME"] = name
    assert answer["checks"]["database"] == "down"
    assert answer["checks"]["changes"] == "unknown"
    assert "no_such_database" in body["checks"]["database"]["message"][0]


def test_it_tells_a_stranger_and_a_reviewer_status_words_only(
    client: Client, all_well: None, alice: User
) -> None:
    words = {"ok", "degraded", "down", "unknown"}
    assert set(health_body(client)["checks"].values()) <= words
    assert set(health_body(client, Authorization="Bearer wrong")["checks"].values()) <= words
    client.force_login(alice)
    assert set(health_body(client)["checks"].values()) <= words


def test_it_tells_an_admin_and_the_token_more(client: Client, all_well: None, adam: User) -> None:
    checks = health_body(client, Authorization=f"Bearer {TOKEN}")["checks"]
    assert checks["worker"] == {"status": "ok", "alive": 1}
    assert checks["changes"]["most_seconds"] == 900
    client.force_login(adam)
    assert health_body(client)["checks"]["worker"] == checks["worker"]


def test_it_takes_no_empty_token(client: Client, all_well: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert health_body(client, Authorization="Bearer ")["checks"]["database"] == "ok"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_it_answers_a_probe_by_address_over_plain_http(
    client: Client, all_well: None, settings: Settings, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["review.example.com"]
    for host in ("10.1.2.3:8000", "review.example.com"):
        assert client.get(path, headers={"Host": host}).status_code == 200
    assert client.get("/annotations", headers={"Host": "10.1.2.3:8000"}).status_code in {301, 400}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_it_only_reads(client: Client, db: None, path: str) -> None:
    assert client.post(path).status_code == 405
    assert client.head(path).status_code in {200, 503}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (["ok"], "ready"),
        (["ok", "degraded"], "degraded"),
        (["ok", "unknown"], "degraded"),
        (["degraded", "down"], "down"),
    ],
)
def test_it_is_down_only_when_something_is_down(found: list[str], said: str) -> None:
    assert (
        health_checks.verdict([health_checks.CheckResult(name=word, status=word) for word in found])
        == said
    )
