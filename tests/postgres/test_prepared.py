"""Prepared statements, and idle connections that are looked at without a round trip."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DataError, NotSupportedError
from django.test.utils import CaptureQueriesContext

from reviewapp.postgres.connection_health import is_quiet


def rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Run a statement as all code does."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def raw() -> psycopg.Connection[object]:
    """The driver's connection."""
    connection.ensure_connection()
    driver_connection: psycopg.Connection[object] = connection.connection
    return driver_connection


@pytest.mark.django_db
def test_it_answers_each_value_of_a_statement_that_is_asked_again() -> None:
    for value in range(10):
        assert rows("SELECT %s::int AS value", [value]) == [(value,)]


@pytest.mark.django_db(transaction=True)
def test_it_answers_over_a_new_connection() -> None:
    assert rows("SELECT %s::int AS value", [1]) == [(1,)]
    connection.close()
    assert rows("SELECT %s::int AS value", [2]) == [(2,)]


@pytest.mark.django_db
def test_it_reads_times_as_instants() -> None:
    ((instant,),) = rows("SELECT %s::timestamptz", [datetime(2026, 3, 1, 10, 0, tzinfo=UTC)])
    assert instant == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    assert instant.utcoffset().total_seconds() == 0


@pytest.mark.django_db
def test_it_logs_a_prepared_statement_with_its_values() -> None:
    with CaptureQueriesContext(connection) as queries:
        rows("SELECT %s::text", ["harbour"])
    assert [query["sql"] for query in queries.captured_queries] == ["SELECT 'harbour'::text"]


@pytest.mark.django_db(transaction=True)
def test_it_connects_anew_after_a_migration_has_changed_a_prepared_column() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (amount int)")
        cursor.execute("INSERT INTO changing VALUES (1)")
    try:
        for _ in range(10):
            assert rows("SELECT amount FROM changing", []) == [(1,)]
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as migration:
            migration.execute("ALTER TABLE changing ALTER amount TYPE text")
        with pytest.raises(NotSupportedError):
            rows("SELECT amount FROM changing", [])

        # As Django does after each request.
        connection.close_if_unusable_or_obsolete()
        assert rows("SELECT amount FROM changing", []) == [("1",)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE changing")


@pytest.mark.django_db(transaction=True)
def test_it_raises_in_a_transaction_what_it_cannot_ask_again() -> None:
    with pytest.raises(DataError), transaction.atomic():
        rows("SELECT 1 / %s", [0])


@pytest.mark.django_db(transaction=True)
def test_it_takes_an_idle_connection_for_alive_without_asking() -> None:
    assert is_quiet(raw())
    with CaptureQueriesContext(connection) as queries:
        assert connection.is_usable()
    assert queries.captured_queries == []


@pytest.mark.django_db(transaction=True)
def test_it_notices_a_server_that_hung_up() -> None:
    # In a transaction, who is connected would be looked at once, and never be seen to go.
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [raw().info.backend_pid])
        while other.execute(
            "SELECT 1 FROM pg_stat_activity WHERE pid = %s", [raw().info.backend_pid]
        ).fetchone():
            pass
    assert not is_quiet(raw())
    assert not connection.is_usable()
    connection.close()


@pytest.mark.django_db
def test_it_does_not_call_a_failed_transaction_usable() -> None:
    with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
        try:
            cursor.execute("SELECT 1 / 0")
        finally:
            assert not connection.is_usable()
