"""Let Django empty the tables after a transactional test, although the database refuses to truncate history.

The refusing triggers are lifted inside the very transaction that truncates, and nowhere else: a test that truncates
by itself meets them. Jobs go too: Django does not count procrastinate's tables among its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations

_GUARDS = """
    SELECT format('ALTER TABLE %%s %s TRIGGER %%I', tgrelid::regclass, tgname)
    FROM pg_trigger WHERE starts_with(tgname, 'pgtrigger_never_truncated')
"""
_JOBS = "TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers RESTART IDENTITY CASCADE"


@pytest.fixture(scope="session", autouse=True)
def flush_may_truncate() -> Iterator[None]:
    """Frame every flush by switching the guards off and on again."""
    # On the class: a test with a browser has an event loop in its thread, and with it a connection of its own.
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def framed(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        flush(self, [*_each_guard("DISABLE"), *sql_list, _JOBS, *_each_guard("ENABLE")])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", framed)
        yield


def _each_guard(verb: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_GUARDS % verb)
        return [statement for (statement,) in cursor.fetchall()]
