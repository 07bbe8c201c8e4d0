"""Few threads hash passwords at a time; a request above the limit is told to come back."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password

from reviewapp.accounts.sign_in.hashing import RETRY_AFTER, HashingIsBusy, Slots
from tests.operations.processes import environment, listens, reserved_port, running, until

COMMAND = [
    "-m",
    "gunicorn",
    "-c",
    "python:reviewapp.operations.gunicorn_conf",
    "reviewapp.wsgi:application",
]


def test_it_refuses_at_once_what_is_neither_to_run_nor_to_wait() -> None:
    slots = Slots(running=1, waiting=0)
    with slots.acquired(), pytest.raises(HashingIsBusy), slots.acquired():
        pass
    with slots.acquired():
        pass


def test_it_runs_what_has_waited() -> None:
    slots = Slots(running=1, waiting=1)
    begun = threading.Event()

    def wait() -> str:
        begun.set()
        with slots.acquired():
            return "ran"

    with ThreadPoolExecutor(1) as others:
        with slots.acquired():
            other = others.submit(wait)
            begun.wait()
            assert not other.done()
        assert other.result() == "ran"


def test_it_gives_a_slot_back_after_a_failure() -> None:
    slots = Slots(running=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ValueError, match="bad"), slots.acquired():
            raise ValueError("bad")


def test_it_still_knows_the_hashes_of_before() -> None:
    before = PBKDF2PasswordHasher().encode("seven-green-bottles", "salt", 1000)
    assert check_password("seven-green-bottles", before)
    assert not check_password("eight-green-bottles", before)
    assert make_password("x").startswith("pbkdf2_sha256$")


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_it_answers_pages_beside_many_who_sign_in_at_once() -> None:
    with ExitStack() as stack:
        port = stack.enter_context(reserved_port())
        env = environment(WEB_CONCURRENCY="1", DEBUG="on")
        web = stack.enter_context(running([*COMMAND, "--bind", f"127.0.0.1:{port}"], env))
        until(lambda: listens(port), web)
        token = _token(port)
        pool = stack.enter_context(ThreadPoolExecutor(32))

        tries = [pool.submit(_sign_in, port, token, f"somebody{number}") for number in range(32)]
        assert _live(port) == b"alive\n"
        assert not all(attempt.done() for attempt in tries)
        answers = [attempt.result() for attempt in tries]

    seen = Counter(status for status, _ in answers)
    # 429 where the limits of signing in could not be looked at in time.
    assert set(seen) <= {422, 429, 503}
    assert seen[422] >= 1
    assert seen[503] >= 1
    assert {retry_after for status, retry_after in answers if status == 503} == {str(RETRY_AFTER)}


def _token(port: int) -> str:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", "/accounts/login/")
        return client.getresponse().headers["Set-Cookie"].partition(";")[0].partition("=")[2]


def _sign_in(port: int, token: str, login: str) -> tuple[int, str | None]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        body = f"csrfmiddlewaretoken={token}&login={login}&password=wrong-horse"
        headers = {
            "Cookie": f"{settings.CSRF_COOKIE_NAME}={token}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        client.request("POST", "/accounts/login/", body, headers)
        response = client.getresponse()
        return response.status, response.headers["Retry-After"]


def _live(port: int) -> bytes:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", "/health/live")
        return client.getresponse().read()
