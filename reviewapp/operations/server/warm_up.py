"""Prepare the threads of a web process before the first reader comes, who would wait for it.

`wsgi.py` loads the views and templates. Here each thread opens its database connection and prepares
the statements of the frequent reads in it.
"""

from __future__ import annotations

import logging
from concurrent.futures import Executor, wait
from threading import Barrier, BrokenBarrierError

from django.db import Error

from reviewapp.postgres.statement import prepare_connection

_MAX_SECONDS = 10
_logger = logging.getLogger(__name__)


def prepare_threads(pool: Executor, thread_count: int) -> None:
    """Prepare the connection of each thread of a pool; wait for all of them, but not for long.

    Without the database the process starts all the same, and connects when it is back.
    """
    # A thread that waits here takes no second task, so that each gets one.
    all_have_started = Barrier(thread_count)
    tasks = [pool.submit(_prepare_thread, all_have_started) for _ in range(thread_count)]
    wait(tasks, timeout=_MAX_SECONDS)


def _prepare_thread(all_have_started: Barrier) -> None:
    try:
        all_have_started.wait(_MAX_SECONDS)
        prepare_connection()
    except (Error, BrokenBarrierError) as error:
        _logger.warning("A connection could not be prepared: %s", error)
    except Exception:
        # It would be no reason to serve nobody.
        _logger.exception("A connection could not be prepared")
