"""SIGTERM lets web and worker finish what is under way; after a kill another goes on."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from psycopg import sql

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from reviewapp.outbox.services import wake
from reviewapp.outbox.status.health import workers_alive
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from tests.decisions import queue_decision
from tests.operations.processes import (
    database_url,
    environment,
    listens,
    reserved_port,
    running,
    told_to_stop,
    until,
    until_at_work,
    writes,
)
from tests.sandbox_data import document_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process]
WORK = ["manage.py", "work"]


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes) -> Box:
    folder = write_data_folder(tmp_path, documents=[document_json(1, document_id="doc_1")])
    return sandboxes.namespace(folder)


@pytest.fixture
def change(box: Box, alice: User) -> Change:
    """A decision that waits to be delivered to the sandbox."""
    with _client(box) as client:
        record = client.create_annotation(document_id="doc_1", label="logo", confidence=0.4)
    Retriever.objects.create(retriever_id="ret_logos", name="logos", seen_at=timezone.now())
    absorb.absorb([record])
    annotation = Annotation.objects.get()
    return queue_decision(annotation, alice, label="no_logo")


def _client(box: Box) -> Client:
    return Client(base_url=box.url, api_key=box.key, namespace=box.namespace)


def _credentials(box: Box) -> dict[str, str]:
    return environment(
        MIXPEEK_BASE_URL=box.url, MIXPEEK_API_KEY=box.key, MIXPEEK_NAMESPACE=box.namespace
    )


def _is_being_sent(box: Box) -> bool:
    return box.faults_left() == []


def test_it_finishes_the_request_under_way() -> None:
    body = b"login=alice&password=x"
    command = [
        "-m",
        "gunicorn",
        "-c",
        "python:reviewapp.operations.gunicorn_conf",
        "reviewapp.wsgi:application",
    ]
    env = environment(WEB_CONCURRENCY="1", DEBUG="on")
    with reserved_port() as port, running([*command, "--bind", f"127.0.0.1:{port}"], env) as web:
        until(lambda: listens(port), web)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as person:
            head = f"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            form = "Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
            person.sendall((head + form).encode() + body[:5])
            assert b"100 Continue" in person.recv(1000)
            web.send_signal(signal.SIGTERM)
            until(lambda: not listens(port))
            person.sendall(body[5:])
            answer = b"".join(iter(lambda: person.recv(65536), b""))
        output, _ = web.communicate(timeout=60)
    assert answer.startswith(b"HTTP/1.1 403 "), output
    assert b"</html>" in answer
    assert web.returncode == 0, output


def test_it_finishes_the_job_under_way(box: Box, change: Change) -> None:
    box.faults([{"method": "PATCH", "delay": 1.5, "apply": True}])
    with running(WORK, _credentials(box)) as worker:
        until(lambda: _is_being_sent(box), worker)
        output = told_to_stop(worker)
    change.refresh_from_db()
    assert change.state == Change.State.DELIVERED, output
    assert len(box.received(method="PATCH")) == 1
    assert workers_alive() == 0


def test_it_stops_at_once_when_there_is_nothing_to_do(box: Box) -> None:
    with running(WORK, _credentials(box)) as worker:
        until_at_work(worker)
        assert workers_alive() == 1
        told_to_stop(worker)
    assert workers_alive() == 0


@pytest.mark.long
def test_it_goes_on_when_the_database_has_thrown_it_out(box: Box, change: Change) -> None:
    box.faults([{"method": "PATCH", "delay": 1.0, "apply": True}])
    with running(WORK, _credentials(box)) as worker:
        until(lambda: _is_being_sent(box), worker)
        assert _throw_out_everybody_else()
        # What was under way falls due again when its claim runs out; here at once.
        Change.objects.update(due=timezone.now(), claimed_at=None)
        until(lambda: Change.objects.filter(state=Change.State.DELIVERED).exists(), worker)
        told_to_stop(worker)
    assert len(box.received(method="PATCH")) == 1


def test_it_waits_for_a_database_that_let_nobody_in_for_a_moment(box: Box, change: Change) -> None:
    Change.objects.update(due=timezone.now() + timedelta(hours=1))
    with running(WORK, _credentials(box)) as worker:
        until_at_work(worker)
        with _closed_to_new_sessions():
            assert _throw_out_everybody_else()
            # Whichever part of it notices first.
            assert writes(worker, "listener failed", "lost the database")
        Change.objects.update(due=timezone.now())
        wake()
        until(lambda: Change.objects.filter(state=Change.State.DELIVERED).exists(), worker)
        told_to_stop(worker)
    assert len(box.received(method="PATCH")) == 1


@contextmanager
def _closed_to_new_sessions() -> Iterator[None]:
    name = sql.Identifier(connection.settings_dict["NAME"])
    with psycopg.connect(database_url("postgres"), autocommit=True) as other:
        other.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            yield
        finally:
            other.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def _throw_out_everybody_else() -> int:
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(pg_terminate_backend(pid)) {others}")
        return int(cursor.fetchone()[0])


def test_it_is_harmless_to_kill_a_worker_in_the_middle(box: Box, change: Change) -> None:
    box.faults([{"method": "PATCH", "delay": 1.0, "apply": True}])
    with running(WORK, _credentials(box)) as worker:
        until(lambda: _is_being_sent(box), worker)
        worker.kill()
        worker.wait()
    now = timezone.now()
    assert claims.claim(now) is None
    again = claims.claim(now + claims.CLAIM_DURATION)
    assert again == change
    with _client(box) as client:
        assert drain.attempt(again, client)
    change.refresh_from_db()
    assert (change.state, change.version) == (Change.State.DELIVERED, 2)
    assert len(box.received(method="PATCH")) == 1
