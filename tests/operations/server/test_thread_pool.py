"""The threads of a web process: the warmest first, none more than allowed, no task lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from reviewapp.operations.server.thread_pool import WarmestFirst


class Held:
    """A task that occupies its thread until it is let go."""

    def __init__(self, pool: WarmestFirst) -> None:
        self._has_begun = threading.Event()
        self._may_end = threading.Event()
        self.outcome: Future[str] = pool.submit(self._run)
        self._has_begun.wait(60)

    def _run(self) -> str:
        self._has_begun.set()
        self._may_end.wait(60)
        return _thread_name()

    def let_go(self) -> str:
        """Let the task end, and return the name of its thread."""
        self._may_end.set()
        return self.outcome.result(60)


def _thread_name() -> str:
    return threading.current_thread().name


@pytest.fixture
def pool() -> Iterator[WarmestFirst]:
    """A pool of three threads."""
    pool = WarmestFirst(3)
    yield pool
    pool.shutdown()


def test_it_gives_a_task_to_the_thread_that_worked_last(pool: WarmestFirst) -> None:
    held = [Held(pool) for _ in range(3)]
    first, second, third = [task.let_go() for task in held]
    assert len({first, second, third}) == 3
    assert [pool.submit(_thread_name).result(60) for _ in range(3)] == [third] * 3
    # While that one works, the next to last.
    busy = Held(pool)
    assert pool.submit(_thread_name).result(60) == second
    assert busy.let_go() == third
    assert pool.submit(_thread_name).result(60) == third


def test_it_keeps_tasks_in_order_until_a_thread_is_free(pool: WarmestFirst) -> None:
    held = [Held(pool) for _ in range(3)]
    done: list[int] = []
    waiting = [pool.submit(done.append, number) for number in range(4)]
    assert done == []
    freed = held[0].let_go()
    for task in waiting:
        task.result(60)
    assert done == [0, 1, 2, 3]
    assert pool.submit(_thread_name).result(60) == freed
    for still_held in held[1:]:
        still_held.let_go()


def test_it_hands_on_what_a_task_raises_and_goes_on(pool: WarmestFirst) -> None:
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result(60)
    assert pool.submit(divmod, 7, 2).result(60) == (3, 1)


def test_it_finishes_what_it_has_taken_when_it_is_shut_down(pool: WarmestFirst) -> None:
    before = set(threading.enumerate())
    held = [Held(pool) for _ in range(3)]
    waiting = pool.submit(_thread_name)
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(_thread_name)
    for task in held:
        task.let_go()
    assert waiting.result(60)
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
