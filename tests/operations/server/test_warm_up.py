"""A new web process is prepared before its first reader comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.client import HTTPConnection
from threading import Barrier

import pytest
from django.db import connection, connections

from reviewapp.annotations.models import Annotation
from reviewapp.operations.server.warm_up import prepare_threads
from tests.factories import make_annotation
from tests.operations.processes import environment, listens, reserved_port, running, until

pytestmark = pytest.mark.django_db(transaction=True)

GUNICORN = (
    "-m",
    "gunicorn",
    "-c",
    "python:reviewapp.operations.gunicorn_conf",
    "reviewapp.wsgi:application",
)
THREADS = 8
CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND backend_start > %s
"""


def count_connections(since: datetime) -> int:
    """Return how many connections there are that were opened later."""
    with connection.cursor() as cursor:
        cursor.execute(CONNECTIONS, [since])
        (count,) = cursor.fetchone()
    return int(count)


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime)
    return now


def status_of(port: int, path: str) -> int:
    # It listens before it has loaded the app, which takes long on a busy machine.
    client = HTTPConnection("127.0.0.1", port, timeout=180)
    client.request("GET", path)
    status = client.getresponse().status
    client.close()
    return status


@pytest.mark.process
def test_it_connects_every_thread_before_anybody_asks() -> None:
    begin = database_time()
    with reserved_port() as port:
        env = environment(WEB_CONCURRENCY="1")
        with running([*GUNICORN, "--bind", f"127.0.0.1:{port}"], env) as web:
            until(lambda: count_connections(since=begin) >= THREADS, web)


@pytest.mark.process
def test_it_starts_without_the_database() -> None:
    with reserved_port() as port:
        env = environment(WEB_CONCURRENCY="1", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
        with running([*GUNICORN, "--bind", f"127.0.0.1:{port}"], env) as web:
            until(lambda: listens(port), web)
            assert status_of(port, "/health/live") == 200


@pytest.fixture
def item() -> Annotation:
    return make_annotation()


def test_it_prepares_the_statements_of_the_review_page_in_every_thread(item: Annotation) -> None:
    all_have_started = Barrier(THREADS)

    def prepared_texts() -> str:
        all_have_started.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            texts = [text for (text,) in cursor.fetchall()]
        connections.close_all()
        return " ".join(texts)

    with ThreadPoolExecutor(THREADS) as pool:
        prepare_threads(pool, THREADS)
        tasks = [pool.submit(prepared_texts) for _ in range(THREADS)]
        for task in tasks:
            texts = task.result(timeout=30)
            for table in ("django_session", "accounts_user", "annotations_draft"):
                assert table in texts
