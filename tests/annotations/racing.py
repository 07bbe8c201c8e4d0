"""Run two transactions at the same time, each over a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")
_PATIENCE = 60.0
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def start(pool: ThreadPoolExecutor, work: Callable[[], T], *, waiting: int = 1) -> Future[T]:
    """Start `work` in a thread of `pool`; return once it waits for a lock or is done.

    `waiting` counts all who wait then, those before it included.
    """
    future = pool.submit(_alone, work)
    give_up = monotonic() + _PATIENCE
    while not future.done() and _number_waiting() < waiting:
        assert monotonic() < give_up, "nobody came to wait"
    return future


def at_once(*works: Callable[[], object]) -> list[object]:
    """Do all at the same time; returns what each returned or raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(_alone, work) for work in works]
        return [future.exception() or future.result() for future in futures]


def _alone(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        connections.close_all()


def _number_waiting() -> int:
    with connection.cursor() as cursor:
        # Inside a transaction, activity is looked at once only.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(_WAITING)
        [(waiting,)] = cursor.fetchall()
    return int(waiting)
