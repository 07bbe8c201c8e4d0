"""The database users of compose.yaml: the owner migrates, neither user is a superuser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from reviewapp.postgres import server
from reviewapp.postgres.cluster import APP_USER, NAME, PORT, Address, program
from tests.operations.processes import ROOT

pytestmark = [pytest.mark.process, pytest.mark.long]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[Address]:
    """A new server with nobody but its superuser `postgres`, as in the image."""
    data = tmp_path / "postgres"
    address = server.join(data, durable=False)
    with psycopg.connect(address.url, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {APP_USER}")
        connection.execute("CREATE ROLE helper SUPERUSER LOGIN")
    with connect(address, "helper") as connection:
        connection.execute(f"ALTER ROLE {NAME} RENAME TO postgres")
    yield address
    server.leave(data)


def connect(address: Address, user: str) -> psycopg.Connection:
    return psycopg.connect(
        host=address.socket_dir, port=PORT, user=user, dbname=NAME, autocommit=True
    )


def run(address: Address, user: str, *command: str) -> None:
    url = f"postgresql://{user}@/{NAME}?host={address.socket_dir}&port={PORT}"
    env = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "SECRET_KEY": "k" * 64,
        "PERSON_PASSWORD": "seven-bottles",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "database-roles" not in done.stderr


@pytest.fixture
def migrated(address: Address) -> Address:
    """The same server after the first start, repeated once, and the migrations."""
    env = {
        "PATH": f"{program('psql').parent}:{os.environ['PATH']}",
        "PGHOST": address.socket_dir,
        "PGPORT": PORT,
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": NAME,
        "OWNER_PASSWORD": "it's the owner",
        "APP_PASSWORD": "the app",
    }
    for _ in range(2):
        script = ["sh", str(ROOT / "docs" / "compose-users.sh")]
        done = subprocess.run(script, env=env, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    run(address, NAME, "migrate", "--verbosity", "0")
    return address


REFUSED = [
    "CREATE TEMPORARY TABLE audit_event (id int)",
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
    "SELECT lo_create(0)",
    "INSERT INTO audit_event (at) VALUES (now())",
    "ALTER TABLE accounts_user DISABLE TRIGGER USER",
    "SET session_replication_role = replica",
    f"SET ROLE {NAME}",
    "SET ROLE postgres",
]


def test_it_makes_two_users_who_are_no_superusers(migrated: Address) -> None:
    """All that holds of one server, in one test: another process would make the server once more."""
    with connect(migrated, "postgres") as connection:
        users = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolpassword IS NOT NULL FROM pg_authid"
            " WHERE starts_with(rolname, 'reviewapp') ORDER BY 1"
        ).fetchall()
        owners = connection.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION SELECT DISTINCT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
    assert users == [(NAME, False, False, False, True), (APP_USER, False, False, False, True)]
    assert owners == [(NAME,)]

    # The app's user works, and leaves events.
    run(migrated, APP_USER, "create_person", "ada", "--role", "admin")
    with connect(migrated, APP_USER) as connection:
        actions = connection.execute(
            "SELECT action FROM audit_event WHERE ref = 'people/ada' ORDER BY id"
        ).fetchall()
    assert [action for (action,) in actions][:2] == ["person.added", "role.given"]

    # It gets no further.
    for statement in REFUSED:
        with (
            connect(migrated, APP_USER) as connection,
            pytest.raises(psycopg.Error, match=r"permission denied|must be"),
        ):
            connection.execute(statement)
            pytest.fail(f"the app's user may {statement}")
