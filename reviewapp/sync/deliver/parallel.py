"""Run a function over a few items in parallel threads, while Mixpeek answers for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from django.db import connection, connections

from reviewapp.mixpeek.exceptions import MixpeekError

T = TypeVar("T")
R = TypeVar("R")
# Keeps two cores busy; a worker sends no more requests to Mixpeek at a time.
_MAX_THREADS = 4


def run_parallel(
    items: Sequence[T],
    work: Callable[[T], R],
) -> Iterator[tuple[T, R | MixpeekError]]:
    """Yield each item with its result, as it is done; start no more after a `MixpeekError`.

    Threads close their database connections after each item. Inside a transaction, which no other
    thread could see, the items run one after the other.
    """
    if len(items) == 1 or connection.in_atomic_block:
        for item in items:
            result = _result_or_error(work, item)
            yield item, result
            if isinstance(result, MixpeekError):
                return
        return

    def run_in_thread(item: T) -> R | MixpeekError:
        try:
            return _result_or_error(work, item)
        finally:
            for thread_connection in connections.all(initialized_only=True):
                thread_connection.close()

    unstarted = list(reversed(items))
    running: dict[Future[R | MixpeekError], T] = {}
    with ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="deliver") as pool:
        while running or unstarted:
            while unstarted and len(running) < _MAX_THREADS:
                item = unstarted.pop()
                future = pool.submit(copy_context().run, run_in_thread, item)
                running[future] = item

            for future in wait(running, return_when=FIRST_COMPLETED).done:
                result = future.result()
                if isinstance(result, MixpeekError):
                    unstarted = []
                yield running.pop(future), result


def _result_or_error(work: Callable[[T], R], item: T) -> R | MixpeekError:
    try:
        return work(item)
    except MixpeekError as error:
        return error
