"""Numbers for Prometheus: who may read them, and that they count what happened."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from reviewapp.accounts.models import User
from reviewapp.mixpeek.client import Client as Mixpeek
from reviewapp.mixpeek.exceptions import Unavailable
from reviewapp.operations.metrics import registry
from reviewapp.operations.metrics.worker import metrics_app as answer
from reviewapp.outbox import services
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.sync.client import client as configured_client
from tests.factories import (
    make_annotation,
    make_change,
    settle_as_conflict,
    settle_as_delivered,
    settle_as_refused,
)
from tests.operations.processes import (
    environment,
    listens,
    reserved_port,
    running,
    told_to_stop,
    until,
    until_at_work,
)
from tests.sandbox_data import write_data_folder
from tests.tools.sandbox.running import running_sandbox

TOKEN = "a-token-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def numbers(text: str) -> dict[str, float]:
    """Return samples by name and labels, in one string each."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def counted() -> dict[str, float]:
    return numbers(registry.exposition(gauges=False).decode())


def scraped(client: Client) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    return numbers(response.content.decode())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        (BEARER, 200),
    ],
)
def test_it_wants_the_token_when_there_is_one(
    client: Client, settings: Settings, adam: User, headers: dict[str, str], status: int
) -> None:
    settings.METRICS_TOKEN = TOKEN
    client.force_login(adam)
    response = client.get("/metrics", headers=headers)
    assert response.status_code == status
    assert status == 200 or b"reviewapp_" not in response.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 401),
        ("", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 401),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 401),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, 401),
    ],
)
def test_it_is_for_this_machine_only_without_a_token(
    client: Client, address: str, headers: dict[str, str], status: int
) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address, headers=headers).status_code == status


HOSTS = [
    ("localhost", 200),
    ("127.0.0.1:8000", 200),
    ("[::1]:8000", 200),
    ("review.example.com", 200),
    ("evil.example", 401),
    ("evil.example:8000", 401),
    ("127.0.0.1.evil.example", 401),
    ("localhost@evil.example", 401),
    ("10.1.2.3", 401),
    ("", 401),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("host", "status"), HOSTS)
@pytest.mark.parametrize("wildcard", [[], ["*"]])
def test_it_is_for_this_machine_by_a_name_of_ours_without_a_token(
    client: Client, settings: Settings, host: str, status: int, wildcard: list[str]
) -> None:
    settings.ALLOWED_HOSTS = ["review.example.com", *wildcard]
    response = client.get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_HOST=host)
    assert response.status_code == status
    assert (status == 200) == (b"reviewapp_" in response.content)


@pytest.mark.parametrize(("host", "status"), HOSTS)
def test_it_shows_a_workers_numbers_by_a_name_of_ours_without_a_token(
    settings: Settings, host: str, status: int
) -> None:
    settings.ALLOWED_HOSTS = ["review.example.com"]
    lines: list[str] = []
    visitor: Any = lambda line, headers: lines.append(line)  # noqa: E731
    answer({"HTTP_HOST": host}, visitor)
    assert [line[:3] for line in lines] == [str(status)]


@pytest.mark.django_db
def test_it_answers_any_host_with_the_token(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={**BEARER, "Host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.django_db
def test_it_counts_requests_by_route_and_never_by_address(client: Client, alice: User) -> None:
    client.force_login(alice)
    annotation = make_annotation()
    before = scraped(client)
    client.get(f"/annotations/{annotation.pk}?label=seen-by-nobody")
    client.get("/annotations/999999999")
    client.get("/no/such/page")
    client.generic("BREW", "/annotations")
    after = scraped(client)

    def more(name: str) -> float:
        return after[name] - before.get(name, 0)

    route = "annotations/<int:pk>"
    assert more(f"reviewapp_requests_total{{method=GET,route={route},status=200}}") == 1
    assert more(f"reviewapp_requests_total{{method=GET,route={route},status=404}}") == 1
    assert more("reviewapp_requests_total{method=GET,route=(none),status=404}") == 1
    assert more("reviewapp_requests_total{method=(other),route=annotations,status=405}") == 1
    assert more(f"reviewapp_request_seconds_count{{method=GET,route={route}}}") == 2
    assert "seen-by-nobody" not in str(after)


@pytest.mark.django_db
def test_it_shows_depth_and_age_of_the_queue(client: Client) -> None:
    for state in ("queued", "queued", "conflict", "refused", "delivered"):
        make_change(make_annotation(), state)
    Change.objects.update(created_at=timezone.now() - timedelta(seconds=100))
    services.pause(reason="key")
    found = scraped(client)
    assert found["reviewapp_changes{state=queued}"] == 2
    assert (
        found["reviewapp_changes{state=conflict}"] == found["reviewapp_changes{state=refused}"] == 1
    )
    assert 100 <= found["reviewapp_oldest_change_seconds{}"] < 160
    assert found["reviewapp_outbox_paused{}"] == 1
    assert found["reviewapp_workers{}"] == 0
    assert found["reviewapp_jobs{status=failed}"] == 0
    assert found["reviewapp_database_up{}"] == 1


@pytest.mark.django_db
def test_it_shows_the_rate_budget(client: Client, settings: Settings) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 600
    shared_budget.lower_limit(retry_after=60, reason="Mixpeek answered 429.")
    found = scraped(client)
    assert found["reviewapp_budget_per_minute{which=configured}"] == 600
    assert found["reviewapp_budget_per_minute{which=allowed}"] == 300
    assert (
        found["reviewapp_budget_tokens{rank=interactive}"]
        == found["reviewapp_budget_tokens{rank=bulk}"]
        == 0
    )


@pytest.mark.django_db
def test_it_counts_deliveries_by_outcome_once_they_are_committed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    changes = [make_change(make_annotation()) for _ in range(4)]
    names = ("delivered", "conflict", "refused", "postponed")
    before = counted()
    with django_capture_on_commit_callbacks(execute=True):
        settle_as_delivered(changes[0], version=2)
        settle_as_delivered(changes[0], version=2)
        settle_as_conflict(changes[1], theirs={}, reason="theirs", version=3)
        settle_as_refused(changes[2], reason="no")
        services.postpone(changes[3], until=timezone.now(), reason="503")
    after = counted()
    for name in names:
        key = f"reviewapp_changes_settled_total{{outcome={name}}}"
        assert after[key] - before.get(key, 0) == 1


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_it_counts_calls_to_mixpeek_and_its_429s(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> None:
    folder = write_data_folder(tmp_path_factory.mktemp("upstream"))
    before = counted()
    with running_sandbox(data=folder) as box:
        settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY = box.url, box.key
        settings.MIXPEEK_NAMESPACE = box.namespace
        client: Mixpeek = configured_client()
        client.list_annotations()
        box.faults([{"status": 429}, {"drop": "before"}])
        for _ in range(2):
            with pytest.raises(Unavailable):
                client.list_annotations()
        client.close()
    after = counted()
    for status in ("200", "429", "none"):
        key = f"reviewapp_upstream_calls_total{{method=POST,status={status}}}"
        assert after[key] - before.get(key, 0) == 1
    key = "reviewapp_upstream_seconds_count{method=POST}"
    assert after[key] - before.get(key, 0) == 3


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_it_adds_up_what_all_web_processes_counted() -> None:
    env = environment(WEB_CONCURRENCY="2")
    command = [
        "-m",
        "gunicorn",
        "-c",
        "python:reviewapp.operations.gunicorn_conf",
        "reviewapp.wsgi:application",
    ]
    with reserved_port() as port, running([*command, "--bind", f"127.0.0.1:{port}"], env) as web:
        until(lambda: listens(port), web)
        visitor = _Visitor(port)
        for _ in range(20):
            assert visitor.get("/health/live") == (200, "alive\n")
        _, text = visitor.get("/metrics")
        said = told_to_stop(web)
    assert numbers(text)["reviewapp_requests_total{method=GET,route=health/live,status=200}"] == 20
    assert len(set(re.findall(r"Booting worker with pid: (\d+)", said))) == 2


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_it_shows_a_workers_numbers_on_a_port_of_its_own() -> None:
    with ExitStack() as stack:
        port = stack.enter_context(reserved_port())
        env = environment(WORKER_METRICS_PORT=str(port), METRICS_TOKEN=TOKEN)
        worker = stack.enter_context(running(["manage.py", "work"], env))
        until_at_work(worker)
        visitor = _Visitor(port)
        assert visitor.get("/")[0] == 401
        status, text = visitor.get("/", **BEARER)
        told_to_stop(worker)
    assert status == 200
    assert "reviewapp_upstream_seconds" in text


class _Visitor:
    """Asks over a socket, on a new connection each time, so that every web process has its turn."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()
