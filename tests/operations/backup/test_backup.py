"""A backup restores rows, history, guards and jobs; a failed one changes nothing."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from psycopg import sql

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.audit.models import Event
from reviewapp.operations.backup.exceptions import BackupError
from reviewapp.operations.backup.pg_programs import fitting, libpq_environment
from reviewapp.outbox import services
from tests.factories import make_annotation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process]
_ROWS = "SELECT coalesce(md5(string_agg(each::text, '|' ORDER BY each::text)), '') FROM {} AS each"
# PostgreSQL reads its own casts back with other brackets, and means the same.
_PLAIN = r"regexp_replace(%s, '::(character varying|text)(\[\])?|[()]', '', 'g')"
_SCHEMA = f"""
SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'index', tablename, indexname, {_PLAIN % "indexdef"} FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, {_PLAIN % "pg_get_constraintdef(oid)"}
          FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'function', '', proname, md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'enum', typname, enumlabel, '' FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
"""


def everything() -> set[tuple[str, ...]]:
    """Return a digest of each table's rows and the whole schema of the current database."""
    with connection.cursor() as cursor:
        rows = set()
        for table in connection.introspection.table_names():
            cursor.execute(_ROWS.format(connection.ops.quote_name(table)))
            rows.add(("rows", table, *cursor.fetchone()))
        cursor.execute(_SCHEMA)
        return rows | set(cursor.fetchall())


@pytest.fixture
def scratch() -> Iterator[str]:
    """The name of a new, empty database beside the tests' own."""
    name = f"{connection.settings_dict['NAME']}_scratch"
    _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)
    _administer(sql.SQL("CREATE DATABASE {} TEMPLATE template0"), name)
    yield name
    _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)"), name)


def _administer(statement: sql.SQL, name: str) -> None:
    params = {**connection.get_connection_params(), "dbname": "postgres"}
    keep = {"host", "port", "user", "password", "dbname"}
    with psycopg.connect(
        **{key: params[key] for key in keep & params.keys()}, autocommit=True
    ) as admin:
        admin.execute(statement.format(sql.Identifier(name)))


@contextmanager
def within(name: str) -> Iterator[None]:
    """Have the default connection be to another database."""
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


@pytest.fixture
def filled(alice: User) -> Annotation:
    """A little of everything: a row with odd text, its history, a change, a job."""
    annotation = make_annotation(
        title="Ünïcode \\ 'quotes' \t tab", payload={"a": [1, None, "x\ny"]}
    )
    with acting(alice, note="because"):
        Annotation.objects.filter(pk=annotation.pk).update(label="other")
        services.enqueue(annotation.ref, fields={"label": "other"}, base={}, actor=alice)
    return annotation


def backed_up(folder: Path) -> Path:
    file = folder / "a backup.dump"
    call_command("backup", str(file), stdout=io.StringIO())
    return file


def restored(file: Path, **options: bool) -> None:
    call_command("restore", str(file), stdout=io.StringIO(), **options)


def test_it_brings_everything_back(
    filled: Annotation, alice: User, scratch: str, tmp_path: Path
) -> None:
    before = everything()
    file = backed_up(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [file.name]  # noqa: PTH208 - hidden ones too
    with within(scratch):
        restored(file)
        assert everything() == before
        call_command("migrate", check_unapplied=True, verbosity=0)

        # The history is guarded and goes on where it was.
        events = Event.objects.count()
        with pytest.raises(DatabaseError, match=r"Cannot|append|never|refus"):
            Event.objects.update(note="forged")
        with acting(alice, note="after"):
            Annotation.objects.filter(pk=filled.pk).update(label="third")
        assert Event.objects.count() == events + 1
        assert Event.objects.newest()[0].changes == {"label": ["other", "third"]}

        # Background work goes on too.
        jobs = ProcrastinateJob.objects.count()
        app.configure_task("sync.deliver").defer()
        assert ProcrastinateJob.objects.count() == jobs + 1


def test_it_refuses_a_database_that_is_not_empty(filled: Annotation, tmp_path: Path) -> None:
    file, before = backed_up(tmp_path), everything()
    with pytest.raises(CommandError, match=r"not empty.*--force"):
        restored(file)
    assert everything() == before


def test_it_replaces_everything_when_forced(
    filled: Annotation, scratch: str, tmp_path: Path
) -> None:
    file, before = backed_up(tmp_path), everything()
    with within(scratch):
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE outbox_change (nothing int); CREATE TYPE mood AS ENUM ('good')"
            )
            cursor.execute("CREATE VIEW later AS SELECT * FROM outbox_change; CREATE SEQUENCE odd")
            cursor.execute(
                "CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1; CREATE TYPE pair AS (a int)"
            )
        with pytest.raises(CommandError, match="not empty"):
            restored(file)
        restored(file, force=True)
        assert everything() == before
        restored(file, force=True)
        assert everything() == before


@pytest.mark.parametrize("damage", ["cut", "not one", "rows"])
def test_it_changes_nothing_when_the_file_is_damaged(
    filled: Annotation, scratch: str, tmp_path: Path, damage: str
) -> None:
    file = backed_up(tmp_path)
    content = file.read_bytes()
    # Rows are compressed, and two bytes begin each stream of them.
    damaged = {
        "cut": content[:9999],
        "not one": b"hello",
        "rows": content.replace(b"\x78\x9c", b"\x00\x00"),
    }
    file.write_bytes(damaged[damage])
    with within(scratch):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        before = everything()
        with pytest.raises(
            CommandError, match="Nothing was restored, and the database is as it was: "
        ):
            restored(file, force=True)
        assert everything() == before


def test_it_overwrites_no_file(filled: Annotation, tmp_path: Path) -> None:
    file = backed_up(tmp_path)
    content = file.read_bytes()
    with pytest.raises(CommandError, match="already exists"):
        call_command("backup", str(file))
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("command", "file", "sentence"),
    [
        ("backup", "no/such/folder/x", "There is no folder"),
        ("restore", "nowhere", "There is no file"),
    ],
)
def test_it_says_what_is_missing(command: str, file: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command(command, str(tmp_path / file))


def test_it_says_which_programs_are_missing() -> None:
    with pytest.raises(BackupError, match=r"server is PostgreSQL 99, .* postgresql-client-99"):
        fitting(99)


def test_it_hands_the_password_on_where_nobody_sees_it() -> None:
    env = libpq_environment(
        {
            "dbname": "x",
            "password": "hunter2",
            "host": "db",
            "sslmode": "require",
            "prepare_threshold": 0,
        }
    )
    parameters = {
        name: value
        for name, value in env.items()
        if name.startswith("PG") and name not in {"PGAPPNAME"}
    }
    assert parameters == {
        "PGDATABASE": "x",
        "PGPASSWORD": "hunter2",
        "PGHOST": "db",
        "PGSSLMODE": "require",
        "PGCLIENTENCODING": "UTF8",
    }
