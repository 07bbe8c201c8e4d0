"""Who else is at work on the database, asked before all of it is replaced."""

from __future__ import annotations

import time

from django.db import connection

from reviewapp.outbox.status import health

# What has just been stopped is seen by the server for an instant more.
_PATIENCE, _PAUSE = 3.0, 0.1
_NAMED = 5

# Of sessions that belong to others a user without rights sees no backend_type; what is no client's
# has no user.
_OTHERS = """
SELECT pid, usename, application_name, coalesce(host(client_addr), 'its own machine') FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL
  AND coalesce(backend_type, 'client backend') = 'client backend' ORDER BY pid
"""


def what_runs() -> str:
    """Return in words which workers and sessions are at work there, "" when none is; looks for 3 s
    at most.
    """
    give_up = time.monotonic() + _PATIENCE
    while (found := _look()) and time.monotonic() < give_up:
        time.sleep(_PAUSE)
    return found


def _look() -> str:
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        sessions = cursor.fetchall()
        cursor.execute("SELECT to_regclass('public.procrastinate_workers') IS NOT NULL")
        (has_workers,) = cursor.fetchone()
    alive = health.workers_alive() if has_workers else 0
    return "; ".join(said for said in (_of_workers(alive), _of_sessions(sessions)) if said)


def _of_workers(alive: int) -> str:
    return (
        f"{_count(alive, 'worker')} alive within the last {health.SILENT_SECONDS} seconds"
        if alive
        else ""
    )


def _of_sessions(sessions: list[tuple[int, str, str, str]]) -> str:
    if not sessions:
        return ""
    named = [
        f"{pid} of {user}{f' ({program})' if program else ''} from {host}"
        for pid, user, program, host in sessions[:_NAMED]
    ]
    more = [f"{len(sessions) - _NAMED} more"] if len(sessions) > _NAMED else []
    return f"{_count(len(sessions), 'session')} connected: {', '.join([*named, *more])}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
