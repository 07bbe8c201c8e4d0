"""Give a transactional test clean tables, although the database refuses to truncate history.

What migrations put into the tables stays: roles, permissions, content types. Only tables that hold
rows are emptied. The refusing triggers are lifted inside the very transaction that truncates, and
nowhere else: a test that truncates by itself meets them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.operations import BaseDatabaseOperations

# Rows of these are made by migrations and no test changes them.
_FROM_MIGRATIONS = [
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
]
_TRIES = 10
_EMPTY_TABLES = """
DO $$
DECLARE
    name text;
    has_rows boolean;
    filled text[] := '{}';
    guards text[][];
    guard text[];
BEGIN
    FOR name IN
        SELECT relname FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relname = ANY (ARRAY[%(kept)s])
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %%I)', name) INTO has_rows;
        IF has_rows THEN
            filled := filled || quote_ident(name);
        END IF;
    END LOOP;
    IF filled = '{}' THEN
        RETURN;
    END IF;
    SELECT array_agg(ARRAY[
        tgrelid::regclass::text, quote_ident(tgname), CASE tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END
    ]) INTO guards
    FROM pg_trigger WHERE starts_with(tgname, 'pgtrigger_never_truncated');
    FOREACH guard SLICE 1 IN ARRAY guards LOOP
        EXECUTE format('ALTER TABLE %%s DISABLE TRIGGER %%s', guard[1], guard[2]);
    END LOOP;
    EXECUTE 'TRUNCATE ' || array_to_string(filled, ', ') || ' CASCADE';
    FOREACH guard SLICE 1 IN ARRAY guards LOOP
        EXECUTE format('ALTER TABLE %%s %%s TRIGGER %%s', guard[1], guard[3], guard[2]);
    END LOOP;
END
$$
"""


@pytest.fixture(scope="session", autouse=True)
def flush_may_truncate() -> Iterator[None]:
    """Replace Django's flush, which empties every table and fills those of the migrations again."""
    # On the class: a test with a browser has an event loop in its thread, and with it a connection
    # of its own.
    operations = type(connection.ops)

    def nothing(self: BaseDatabaseOperations, *args: object, **options: object) -> list[str]:
        return []

    def empty(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        exempt = ", ".join(f"'{name}'" for name in _FROM_MIGRATIONS)
        statement = _EMPTY_TABLES % {"kept": exempt}
        # A browser's last request may still hold locks in another order: it ends, and the next try
        # succeeds.
        for _ in range(_TRIES - 1):
            with suppress(OperationalError), connection.cursor() as cursor:
                cursor.execute(statement)
                return
        with connection.cursor() as cursor:
            cursor.execute(statement)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", nothing)
        patch.setattr(operations, "execute_sql_flush", empty)
        yield


@pytest.fixture(autouse=True)
def requests_end_first(request: pytest.FixtureRequest) -> Iterator[None]:
    """Wait for the live server's requests to finish, so that TRUNCATE meets no deadlock.

    This begins after the database and before the browser, so it ends when the browser's connections
    are closed.
    """
    if request.node.get_closest_marker("browser") is None:
        yield
        return

    request.getfixturevalue("transactional_db")
    yield
    # As socketserver names the thread of a connection.
    open_connections = [
        thread for thread in threading.enumerate() if "process_request_thread" in thread.name
    ]
    for connection_thread in open_connections:
        connection_thread.join(60)
        assert not connection_thread.is_alive(), (
            "a browser left a connection to the live server open"
        )
