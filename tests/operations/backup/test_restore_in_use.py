"""A restore that replaces everything refuses while the database is in use."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateWorker
from psycopg import sql

from reviewapp.accounts.models import User
from tests.operations.processes import (
    database_url,
    environment,
    running,
    told_to_stop,
    until,
    until_at_work,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process]


@pytest.fixture
def file(tmp_path: Path, alice: User) -> Iterator[Path]:
    """A backup, and meanwhile Django's connection on a database of its own, restored from it.

    In the database that all tests share, a session of another test may still be open, and would
    rightly count.
    """
    path = tmp_path / "all.dump"
    call_command("backup", str(path), stdout=io.StringIO())
    with _database_of_its_own():
        call_command("restore", str(path), stdout=io.StringIO())
        yield path


@contextmanager
def _database_of_its_own() -> Iterator[None]:
    usual = connection.settings_dict["NAME"]
    own = f"{usual}_restored"
    name = sql.Identifier(own)
    with psycopg.connect(database_url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        connection.close()
        connection.settings_dict["NAME"] = own
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = usual
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def guest() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Somebody else's session."""
    params = connection.get_connection_params()
    keep = {"host", "port", "user", "password", "dbname"}
    parameters = {key: params[key] for key in keep & params.keys()}
    with psycopg.connect(**parameters, application_name="a guest", autocommit=True) as other:
        yield other


def restored(file: Path) -> None:
    call_command("restore", str(file), force=True, stdout=io.StringIO())


def test_it_refuses_while_somebody_is_connected_and_names_them(
    file: Path, guest: psycopg.Connection[tuple[object, ...]]
) -> None:
    User.objects.filter(username="alice").update(first_name="kept")
    with pytest.raises(
        CommandError,
        match=rf"1 session connected: {guest.info.backend_pid} of \w+ \(a guest\) from its own machine",
    ):
        restored(file)
    assert User.objects.get(username="alice").first_name == "kept"
    guest.close()
    restored(file)
    assert User.objects.get(username="alice").first_name == ""


def test_it_refuses_while_a_worker_runs_which_goes_on(file: Path) -> None:
    with running(["manage.py", "work"], environment()) as worker:
        until(ProcrastinateWorker.objects.exists, worker)
        until_at_work(worker)
        with pytest.raises(
            CommandError, match=r"1 worker alive within the last 25 seconds; \d sessions? connected"
        ):
            restored(file)
        assert worker.poll() is None
        assert "Traceback" not in told_to_stop(worker)


def test_it_waits_for_no_worker_that_is_long_dead(file: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
        )
    restored(file)
