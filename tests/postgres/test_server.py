"""The bundled PostgreSQL as several processes share it, restart it and lose it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from reviewapp.postgres import server
from reviewapp.postgres.cluster import Address, Cluster
from reviewapp.postgres.exceptions import EmbeddedPostgresError

pytestmark = pytest.mark.process

JOIN_AND_WAIT = """
import sys
from pathlib import Path
from reviewapp.postgres import server
print(server.join(Path(sys.argv[1]), durable=False).socket_dir, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder whose path is too long for a socket and holds awkward characters."""
    home = tmp_path_factory.mktemp("with a space, and a comma")
    return home / ("deep" * 30) / ("deeper" * 20) / "it's $HOME" / "postgres"


@pytest.fixture
def data(deep: Path) -> Iterator[Path]:
    """The same folder, its server stopped afterwards."""
    yield deep
    server.leave(deep)
    with suppress(EmbeddedPostgresError):
        if Cluster(data=deep).running():
            Cluster(data=deep).stop()


def query(address: Address, text: str) -> object:
    with psycopg.connect(address.url, autocommit=True) as connection:
        cursor = connection.execute(text)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def kill_server(data: Path) -> None:
    """Kill the server and wait until it is gone; its sessions follow it by themselves."""
    handle = os.pidfd_open(postmaster(data))
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    select.select([handle], [], [], 60)
    os.close(handle)


def other_process(data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", JOIN_AND_WAIT, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_it_makes_starts_and_stops_a_server_in_a_deep_path(data: Path) -> None:
    address = server.join(data, durable=False)
    assert query(address, "SELECT current_database()") == "reviewapp"
    assert query(address, "SELECT current_setting('listen_addresses')") == ""
    server.leave(data)
    assert Cluster(data=data).running() is None
    assert not Path(address.socket_dir).exists()


def test_it_keeps_the_socket_to_its_owner(data: Path) -> None:
    address = server.join(data, durable=False)
    stat = Path(address.socket_dir).stat()
    assert stat.st_mode & 0o777 == 0o700
    assert stat.st_uid == data.stat().st_uid
    assert os.geteuid() == 0 or stat.st_uid == os.geteuid()


def test_it_joins_a_running_server(data: Path) -> None:
    first = server.join(data, durable=False)
    pid = postmaster(data)
    assert server.join(data, durable=False) == first
    assert postmaster(data) == pid


def test_it_lets_the_last_user_stop_the_server(data: Path) -> None:
    ours = server.join(data, durable=False)
    with other_process(data) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == ours.socket_dir
        server.leave(data)
        assert Cluster(data=data).running() == ours
        finish(other)
    assert Cluster(data=data).running() is None


def test_it_starts_one_server_for_many_at_once(data: Path) -> None:
    others = [other_process(data) for _ in range(4)]
    assert len({process.stdout.readline() for process in others if process.stdout}) == 1
    for process in others:
        finish(process)
        if process.stdout:
            process.stdout.close()
    assert Cluster(data=data).running() is None


def test_it_forgets_a_user_that_was_killed(data: Path) -> None:
    server.join(data, durable=False)
    with other_process(data) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
    server.leave(data)
    assert Cluster(data=data).running() is None


def test_it_recovers_what_was_committed_before_a_kill(data: Path) -> None:
    address = server.join(data)
    query(address, "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    kill_server(data)
    again = server.join(data)
    assert query(again, "SELECT answer FROM kept") == 42
    assert query(again, "SHOW fsync") == "on"


def test_it_is_not_fooled_by_a_pid_that_is_used_again(data: Path) -> None:
    server.join(data, durable=False)
    server.leave(data)
    note = data / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{data}\n0\n5432\n{data.parent}\n\n  1 1\nready\n")
    address = server.join(data, durable=False)
    assert query(address, "SELECT 1") == 1


def test_it_replaces_a_server_that_lost_its_socket(data: Path) -> None:
    address = server.join(data, durable=False)
    first = postmaster(data)
    for file in Path(address.socket_dir).iterdir():
        file.unlink()
    assert query(server.join(data, durable=False), "SELECT 1") == 1
    assert postmaster(data) != first


def test_it_starts_over_when_making_the_data_was_interrupted(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    unfinished = tmp_path / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    try:
        assert query(server.join(data, durable=False), "SELECT 1") == 1
    finally:
        server.leave(data)
    assert not unfinished.exists()


def test_it_names_data_of_another_version(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(
        EmbeddedPostgresError, match="made by PostgreSQL 16, but PostgreSQL 18 is bundled"
    ):
        server.join(data)
    server.leave(data)


def test_it_tells_the_reason_when_the_server_does_not_start(data: Path) -> None:
    server.join(data, durable=False)
    server.leave(data)
    conf = data / "postgresql.conf"
    good = conf.read_text()
    conf.write_text(f"{good}\nwork_mem = 'much'\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match="work_mem"):
            server.join(data, durable=False)
    finally:
        conf.write_text(good)
