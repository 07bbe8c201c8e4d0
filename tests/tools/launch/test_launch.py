"""`make run` from start to end, killed in between, and in each other's way."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest

from reviewapp.postgres import server
from reviewapp.postgres.cluster import APP_USER
from tests.operations.processes import until
from tests.tools.launch.conftest import Launch
from tools.launch.__main__ import main

pytestmark = pytest.mark.process

SIGN_IN = "/accounts/login/"


def test_it_brings_up_everything_once_and_stops_it(launch: Launch, tmp_path: Path) -> None:
    launch.start()
    assert f"http://127.0.0.1:{launch.port}/" in launch.said
    for person in ("reviewer", "lead", "admin"):
        assert person in launch.said
    assert "<form" in launch.page(SIGN_IN)
    commands = " ".join(launch.processes().values())
    for part in ("tools.launch", "tools.sandbox", "gunicorn", "manage.py work", "postgres"):
        assert part in commands
    _assert_that_all_sessions_are_the_apps_users(launch)
    if socket.has_dualstack_ipv6():
        with urlopen(f"http://[::1]:{launch.port}{SIGN_IN}", timeout=60) as answer:
            assert answer.status == 200

    # The rows of SANDBOX_DATA name a namespace of their own.
    assert _annotation_count(launch) == 1

    # It runs once in a folder.
    second = Launch(tmp_path, launch.port)
    second.start(VAR_DIR=str(launch.var))
    assert second.end() == 1
    assert second.said.startswith(
        f"Port {launch.port} is in use by a reviewapp from this very folder",
    )
    assert "<form" in launch.page(SIGN_IN)

    assert launch.end(signal.SIGINT) == 0
    assert launch.said.endswith("Stopped.\n")
    assert launch.processes() == {}


@pytest.mark.long
def test_it_prepares_nothing_twice_and_goes_on_after_every_kill(launch: Launch) -> None:
    launch.start()
    address = server.join(launch.postgres)
    with psycopg.connect(address.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    prepared = (launch.var / "log" / "prepare.log").stat().st_ino

    # Everything is killed: nothing is lost, and nothing is prepared again.
    launch.kill()
    launch.end()
    launch.write_data(count=2)
    launch.start()
    assert "reviewer" in launch.said
    until(lambda: _annotation_count(launch) == 2)
    assert "<form" in launch.page(SIGN_IN)
    assert (launch.var / "log" / "prepare.log").stat().st_ino == prepared
    with psycopg.connect(server.join(launch.postgres).url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]
    server.leave(launch.postgres)

    # Only the launcher is killed.
    launch.kill("tools.launch")
    launch.end()
    launch.start()
    assert "<form" in launch.page(SIGN_IN)
    assert launch.end(signal.SIGINT) == 0
    assert launch.processes() == {}


def _annotation_count(launch: Launch) -> int:
    """Return how many annotations are mirrored."""
    address = server.join(launch.postgres)
    try:
        with psycopg.connect(address.url) as connection:
            query = "SELECT count(*) FROM annotations_annotation"
            (count,) = connection.execute(query).fetchall()
    finally:
        server.leave(launch.postgres)
    return int(count[0])


def _assert_that_all_sessions_are_the_apps_users(launch: Launch) -> None:
    """Check that the web server and the worker are the app's own user."""
    address = server.join(launch.postgres)
    with psycopg.connect(address.url, autocommit=True) as connection:

        def users() -> list[tuple[object, ...]]:
            # The page that asks the database, whatever it says of it.
            with suppress(HTTPError):
                launch.page("/health/ready")
            return connection.execute(
                "SELECT DISTINCT usename FROM pg_stat_activity"
                " WHERE datname = 'reviewapp' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()

        # Whoever prepared everything, as the owner, is seen for an instant more.
        until(lambda: users() == [(APP_USER,)])
    server.leave(launch.postgres)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_stops_for_every_polite_signal(launch: Launch, number: int) -> None:
    launch.start()
    assert launch.end(number) == 0
    assert "Traceback" not in launch.said
    assert launch.processes() == {}


@pytest.mark.long
def test_it_stops_when_its_terminal_is_gone(launch: Launch) -> None:
    ours, theirs = os.openpty()
    launch.start(stdin=theirs)
    os.close(theirs)
    os.close(ours)
    assert launch.end() == 0
    assert launch.processes() == {}


@pytest.mark.long
def test_it_starts_again_what_was_killed_and_gives_up_after_five_times(launch: Launch) -> None:
    launch.start()
    # Only the first process of the web server: its others are left without a parent.
    orphans = [pid for pid, command in launch.processes().items() if "gunicorn" in command]
    os.kill(launch.child("gunicorn"), signal.SIGKILL)
    launch.until_said("The web process ended (killed by SIGKILL) and is started again.")
    assert "<form" in launch.page(SIGN_IN)
    until(lambda: not launch.processes().keys() & set(orphans))

    words = "The worker process ended (killed by SIGKILL) and is started again."
    for restart in range(1, 6):
        os.kill(launch.child("manage.py work"), signal.SIGKILL)
        launch.until_said(words, times=restart)
    os.kill(launch.child("manage.py work"), signal.SIGKILL)
    assert launch.end() == 1
    assert "The worker process ended again (killed by SIGKILL), after 5 restarts" in launch.said
    assert launch.processes() == {}
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", launch.port))


def test_it_names_a_busy_port_and_the_setting(launch: Launch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        launch.start(PORT=str(port))
        assert launch.end() == 1
    assert launch.said.startswith(f"Port {port} is in use: choose another with the PORT setting")
    assert launch.said.count("\n") == 1
    assert launch.processes() == {}


def test_it_names_an_address_that_is_not_of_this_machine(launch: Launch) -> None:
    launch.start(HOST="192.0.2.1")
    assert launch.end() == 1
    assert launch.said.startswith("This machine has no address 192.0.2.1: choose another")
    assert launch.said.count("\n") == 1


def test_it_refuses_a_port_that_is_none(launch: Launch) -> None:
    launch.start(PORT="eighty")
    assert launch.end() == 1
    assert (
        launch.said
        == "PORT is 'eighty', which is not a whole number from 1 to 65535. For example: PORT=8000\n"
    )


def test_it_says_why_a_configured_database_cannot_be_used(launch: Launch) -> None:
    launch.start(DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert launch.end() == 1
    assert "The database could not be brought up to date" in launch.said
    assert "Connection refused" in launch.said
    assert "Traceback" not in launch.said
    assert "postgres" not in launch.processes().values()


def test_it_prints_its_settings_when_asked_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    assert end.value.code == 0
    output = capsys.readouterr().out
    for setting in ("PORT", "VAR_DIR", "DATABASE_URL", "MIXPEEK_API_KEY", "SANDBOX_DATA"):
        assert setting in output


def test_it_refuses_an_argument_that_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--prot", "8001"])

    assert end.value.code == 2
    assert "unrecognized arguments: --prot" in capsys.readouterr().err
