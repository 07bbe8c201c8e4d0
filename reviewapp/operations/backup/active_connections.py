"""Describe the workers and sessions that use the database, before a restore replaces it."""

from __future__ import annotations

import time

from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateWorker

from reviewapp.outbox.status import health

# The server lists a session for a moment after it has ended.
_MAX_WAIT_SECONDS = 3.0
_POLL_SECONDS = 0.1
_MAX_SESSIONS = 5

# Without the rights to see other users' sessions, backend_type is null. Sessions of the server
# itself have no user.
_SESSIONS = """
SELECT pid, usename, application_name, coalesce(host(client_addr), 'its own machine')
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL
  AND coalesce(backend_type, 'client backend') = 'client backend' ORDER BY pid
"""


def what_runs() -> str:
    """Describe which workers and sessions use the database; "" when there are none.

    Waits up to 3 seconds for them to end.
    """
    deadline = time.monotonic() + _MAX_WAIT_SECONDS
    description = _describe()
    while description and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        description = _describe()
    return description


def _describe() -> str:
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS)
        sessions = cursor.fetchall()

    parts = []
    # The first migrate creates procrastinate's tables.
    if ProcrastinateWorker._meta.db_table in connection.introspection.table_names():
        worker_count = health.workers_alive()
        if worker_count:
            workers = _count(worker_count, "worker")
            parts.append(f"{workers} alive within the last {health.SILENT_SECONDS} seconds")

    descriptions = []
    for pid, user, program, host in sessions[:_MAX_SESSIONS]:
        owner = user
        if program:
            owner = f"{user} ({program})"
        descriptions.append(f"{pid} of {owner} from {host}")
    if len(sessions) > _MAX_SESSIONS:
        descriptions.append(f"{len(sessions) - _MAX_SESSIONS} more")
    if sessions:
        number = _count(len(sessions), "session")
        parts.append(f"{number} connected: {', '.join(descriptions)}")
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}s"
