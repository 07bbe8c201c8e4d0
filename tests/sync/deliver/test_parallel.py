"""Several things at the same time: what each came to, what stops them, and what they leave behind."""

from __future__ import annotations

from threading import Barrier, Event, current_thread
from typing import Any

import pytest
from django.db import connection

from reviewapp.audit.actions import Origin
from reviewapp.audit.context import current_trace, tracing
from reviewapp.mixpeek.exceptions import MixpeekError, Unavailable
from reviewapp.sync.deliver import parallel


@pytest.mark.django_db(transaction=True)
def test_it_does_several_at_the_same_time() -> None:
    together = Barrier(4, timeout=60)

    def work(number: int) -> int:
        together.wait()
        return number * 10

    assert sorted(parallel.run_parallel(range(8), work)) == [
        (number, number * 10) for number in range(8)
    ]


@pytest.mark.django_db(transaction=True)
def test_it_begins_no_more_when_one_met_an_error() -> None:
    told, begun, came = Event(), set[int](), dict[int, object]()

    def work(number: int) -> int:
        begun.add(number)
        if number == 0:
            raise Unavailable("down")
        assert told.wait(60)
        return number

    for number, result in parallel.run_parallel(range(40), work):
        came[number] = result
        told.set()
    assert isinstance(came.pop(0), MixpeekError)
    assert (came, begun) == ({1: 1, 2: 2, 3: 3}, {0, 1, 2, 3})


@pytest.mark.django_db(transaction=True)
def test_it_lets_mistakes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        list(parallel.run_parallel([1, 0], lambda number: 1 / number))


@pytest.mark.django_db(transaction=True)
def test_it_knows_the_job_and_leaves_no_connection_open() -> None:
    used = list[Any]()

    def work(number: int) -> tuple[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [number])
            (answer,) = cursor.fetchone()
        used.append(connection.connection)
        return current_trace().request_id, answer

    with tracing(Origin.WORKER, "job-77777"):
        results = sorted(parallel.run_parallel([1, 2, 3], work))

    assert results == [(number, ("job-77777", number)) for number in (1, 2, 3)]
    # The server lists a session for a moment longer, so it is not asked.
    assert len(used) == 3
    assert all(session.closed for session in used)
    assert connection.connection not in used


@pytest.mark.django_db
def test_it_stays_in_its_transaction() -> None:
    here = current_thread().name
    assert list(parallel.run_parallel([1, 2], lambda _: current_thread().name)) == [
        (1, here),
        (2, here),
    ]
