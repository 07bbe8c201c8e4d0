"""Threads of which the one that worked last gets the next task, because it is the warmest.

The standard library's pool wakes the thread that has waited longest. With eight threads in each web
process, every request would then meet a database session whose plans and caches are the oldest.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
# Does the work, and returns what then tells its outcome.
Task = Callable[[], Callable[[], None]]


class WarmestFirst(Executor):
    """An executor with at most `thread_count` threads, each started when no other is idle."""

    def __init__(self, thread_count: int) -> None:
        self._thread_count = thread_count
        self._started = 0
        self._is_shut_down = False
        # The inboxes of idle threads, that of the warmest last. None in an inbox ends its thread.
        self._idle: list[SimpleQueue[Task | None]] = []
        self._waiting: deque[Task] = deque()
        # A signal's handler may shut down in the midst of a `submit`.
        self._lock = threading.RLock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` in a thread; raises `RuntimeError` after `shutdown`."""
        future: Future[T] = Future()

        def task() -> Callable[[], None]:
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                return partial(future.set_exception, error)
            return partial(future.set_result, result)

        # It is never cancelled.
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._is_shut_down:
                raise RuntimeError("The pool takes no more tasks.")
            self._assign(task)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks; the threads end once all that were taken are done.

        It neither waits for that nor cancels a task.
        """
        with self._lock:
            self._is_shut_down = True
            while self._idle:
                self._idle.pop().put(None)

    def _assign(self, task: Task) -> None:
        if self._idle:
            self._idle.pop().put(task)
        elif self._started < self._thread_count:
            self._started += 1
            inbox: SimpleQueue[Task | None] = SimpleQueue()
            inbox.put(task)
            threading.Thread(target=self._work, args=[inbox], name=f"web-{self._started}").start()
        else:
            self._waiting.append(task)

    def _work(self, inbox: SimpleQueue[Task | None]) -> None:
        while task := inbox.get():
            tell_outcome = task()
            # Before: whoever is told may submit the next task at once, and this is the warmest.
            self._take_next(inbox)
            tell_outcome()
            # While the thread is idle it keeps nothing of a request in memory.
            del task, tell_outcome

    def _take_next(self, inbox: SimpleQueue[Task | None]) -> None:
        with self._lock:
            if self._waiting:
                inbox.put(self._waiting.popleft())
            elif self._is_shut_down:
                inbox.put(None)
            else:
                self._idle.append(inbox)
