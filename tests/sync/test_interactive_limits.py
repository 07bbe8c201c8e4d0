"""A Mixpeek that hangs, or somebody who asks for too much, stops nobody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests
from django.conf import settings as ours
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.api import tokens
from reviewapp.mixpeek.exceptions import NotFound, Unavailable
from reviewapp.sync.interactive_limits import (
    MAX_CALLS,
    MAX_FILES,
    CircuitBreaker,
    Gate,
    ShareSpent,
    TooBusy,
    interactive_requests,
    requests_per_person,
)
from tests.factories import make_execution, make_result
from tests.operations.processes import environment, listens, reserved_port, running, until
from tests.people import signed_in

GUNICORN = [
    "-m",
    "gunicorn",
    "-c",
    "python:reviewapp.operations.gunicorn_conf",
    "reviewapp.wsgi:application",
]


def test_it_lets_so_many_in_and_no_more() -> None:
    gate = Gate(2)
    with gate.entered(), gate.entered(), pytest.raises(TooBusy) as refused, gate.entered():
        pass
    assert refused.value.retry_after == 1
    with gate.entered(), gate.entered():
        pass


def test_it_shuts_after_failures_in_a_row_and_lets_a_single_one_try() -> None:
    now = [0.0]
    breaker = CircuitBreaker(failures=3, seconds=15, clock=lambda: now[0])
    for _ in range(3):
        breaker.admit()
        breaker.failed()

    now[0] = 5
    with pytest.raises(TooBusy) as refused:
        breaker.admit()
    assert refused.value.retry_after == 10

    now[0] = 16
    breaker.admit()
    with pytest.raises(TooBusy):
        breaker.admit()
    breaker.succeeded()
    breaker.admit()
    breaker.admit()


def test_it_stays_open_while_any_answer_comes_in_between() -> None:
    breaker = CircuitBreaker(failures=2, seconds=15, clock=lambda: 0)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    breaker.admit()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "refuses"),
    [
        (Unavailable("Mixpeek did not answer in time."), True),
        (Unavailable("broken", status=503), True),
        (Unavailable("slower", status=429), False),
        (NotFound("nothing", status=404), False),
    ],
)
def test_it_counts_only_what_had_no_answer(
    settings: Settings, error: Exception, refuses: bool
) -> None:
    settings.MIXPEEK_BASE_URL = f"https://{id(error)}.example"
    for _ in range(3):
        with pytest.raises(type(error)), interactive_requests(None):
            raise error

    if refuses:
        with pytest.raises(TooBusy), interactive_requests(None):
            pass
    else:
        with interactive_requests(None):
            pass


@pytest.mark.parametrize(("configured", "each"), [(10, 5), (100, 10), (600, 60), (600_000, 60_000)])
def test_it_gives_each_person_a_tenth(settings: Settings, configured: int, each: int) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = configured
    assert requests_per_person() == each


def test_it_counts_each_person_apart(settings: Settings, alice: User, bob: User) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 10
    with pytest.raises(ShareSpent) as refused:
        # Twice the share and one more: the minute may turn meanwhile.
        for _ in range(11):
            with interactive_requests(alice):
                pass
    assert 0 < (refused.value.retry_after or 0) <= 60
    with interactive_requests(bob), interactive_requests(None):
        pass


class HangingMixpeek:
    """Takes connections and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.2)
        self._taken: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def taken(self) -> int:
        """Return how many connections have come so far."""
        try:
            while True:
                self._taken.append(self._listener.accept()[0])
        except TimeoutError:
            return len(self._taken)

    def close(self) -> None:
        """Hang up on everybody."""
        for connection in (self._listener, *self._taken):
            connection.close()


@pytest.fixture
def mixpeek() -> Iterator[HangingMixpeek]:
    server = HangingMixpeek()
    yield server
    server.close()


@contextmanager
def web_process(mixpeek: HangingMixpeek) -> Iterator[str]:
    """Run one web process on a Mixpeek, and yield its address."""
    env = environment(
        SECRET_KEY=ours.SECRET_KEY,
        WEB_CONCURRENCY="1",
        MIXPEEK_BASE_URL=mixpeek.url,
        MIXPEEK_API_KEY="sk_test_key",
        MIXPEEK_NAMESPACE="ns_sample",
        MIXPEEK_PAGE_TIMEOUT="30",
        MIXPEEK_REQUESTS_PER_MINUTE="100000",
    )
    with reserved_port() as port, running([*GUNICORN, "--bind", f"127.0.0.1:{port}"], env) as web:
        until(lambda: listens(port), web)
        yield f"http://127.0.0.1:{port}"


def statuses(answers: list[Future[requests.Response]]) -> list[int]:
    return [answer.result().status_code for answer in answers if answer.done()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
def test_it_serves_pages_while_all_pictures_hang(alice: User, mixpeek: HangingMixpeek) -> None:
    for number in range(20):
        make_result(document_id=f"doc_{number}")
    session_cookie = ours.SESSION_COOKIE_NAME
    cookies = {session_cookie: signed_in(alice).cookies[session_cookie].value}

    with web_process(mixpeek) as site, ThreadPoolExecutor(20) as threads:
        addresses = [f"{site}/documents/doc_{number}/media/1" for number in range(20)]
        asked = [
            threads.submit(
                requests.get, address, cookies=cookies, timeout=60, allow_redirects=False
            )
            for address in addresses
        ]
        until(lambda: mixpeek.taken() == MAX_FILES)
        until(lambda: len(statuses(asked)) == 20 - MAX_FILES)

        refused = [answer.result() for answer in asked if answer.done()]
        assert {answer.status_code for answer in refused} == {503}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        page = requests.get(f"{site}/accounts/who", cookies=cookies, timeout=20)
        assert page.json()["name"] == "alice"
        assert len(statuses(asked)) == 20 - MAX_FILES
        mixpeek.close()

    assert sorted(statuses(asked))[:MAX_FILES] == [502] * MAX_FILES


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
def test_it_answers_other_calls_while_all_reads_of_the_api_hang(
    alice: User, mixpeek: HangingMixpeek
) -> None:
    execution = make_execution(execution_id="exec_1")
    path = f"api/v1/retrievers/{execution.retriever.retriever_id}/executions/exec_1"
    _, secret = tokens.create_token(alice, name="script", scope="read", days=1, actor=None)
    headers = {"Authorization": f"Bearer {secret}"}

    with web_process(mixpeek) as site, ThreadPoolExecutor(12) as threads:
        asked = [
            threads.submit(requests.get, f"{site}/{path}", headers=headers, timeout=60)
            for _ in range(12)
        ]
        until(lambda: mixpeek.taken() == MAX_CALLS)
        until(lambda: len(statuses(asked)) == 12 - MAX_CALLS)

        assert set(statuses(asked)) == {503}
        listed = requests.post(
            f"{site}/api/v1/annotations/list", json={}, headers=headers, timeout=20
        )
        assert listed.status_code == 200
        mixpeek.close()
