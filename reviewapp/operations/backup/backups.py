"""Back up the whole database to one file, and restore it: all of it or nothing.

The file has pg_dump's custom format. A restore is one transaction that removes the old content and
loads the new. Triggers come last, so that the history is restored and not written anew.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.db import connection

from reviewapp.operations.backup.active_connections import what_runs
from reviewapp.operations.backup.exceptions import BackupError
from reviewapp.operations.backup.pg_programs import Programs, fitting, libpq_environment

_EMPTY = Path(__file__).with_name("empty.sql")
# Whether there is anything but extensions in it, and the server's major version.
_STATE = """
SELECT EXISTS (
    SELECT 1 FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
), current_setting('server_version_num')::int / 10000
"""


def back_up(file: Path) -> int:
    """Write the database to `file`, readable by its owner only, and return its size in bytes.

    The file appears when it is complete, and never replaces another. Raises `BackupError`.
    """
    if file.exists():
        raise BackupError(f"{file} already exists. Name a new file.")
    if not file.parent.is_dir():
        raise BackupError(f"There is no folder {file.parent}.")

    database = _inspect_database()
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as output:
            database.dump(output)
            os.fsync(output.fileno())
        os.link(unfinished, file)
    except FileExistsError:
        raise BackupError(f"{file} already exists. Name a new file.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, *, force: bool) -> None:
    """Replace the database's content by the backup in `file`, in one transaction.

    Refuses a database that is not empty. With `force`, it replaces everything in it, unless workers
    or other sessions use it. Raises `BackupError`; the database is then as it was.
    """
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")

    database = _inspect_database()
    if not database.is_empty:
        if not force:
            raise BackupError(
                "The database is not empty. Restore into a new, empty one (before any migrate), "
                "or add --force to replace everything in this one."
            )
        users = what_runs()
        if users:
            raise BackupError(
                f"Nothing was restored: the database is in use ({users}). "
                "Stop web processes and workers, then try again."
            )

    connection.close()
    database.load(file)


@dataclass(frozen=True, kw_only=True)
class _Database:
    programs: Programs
    env: dict[str, str]
    major: int
    is_empty: bool

    def dump(self, output: IO[bytes]) -> None:
        """Write the content in the format that `pg_restore` reads. Raises `BackupError`."""
        command = [
            self.programs.path("pg_dump"),
            "--format=custom",
            "--no-owner",
            "--no-privileges",
        ]
        process = subprocess.run(  # noqa: S603 - no shell
            command,
            env=self.env,
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
        if process.returncode != 0:
            last_line = process.stderr.decode(errors="replace").strip().splitlines()[-1:]
            reason = " ".join(last_line)
            raise BackupError(f"pg_dump failed, and no backup was made: {reason}")

    def load(self, file: Path) -> None:
        """Pipe pg_restore's output into psql; commit only if pg_restore read the whole file."""
        restore_command = [
            self.programs.path("pg_restore"),
            "--no-owner",
            "--no-privileges",
            "--file=-",
            str(file),
        ]
        psql_command = [
            self.programs.path("psql"),
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--output=/dev/null",
        ]
        with tempfile.TemporaryFile() as restore_errors, tempfile.TemporaryFile() as psql_errors:
            with (
                subprocess.Popen(  # noqa: S603 - no shell
                    restore_command,
                    env=self.env,
                    stdout=subprocess.PIPE,
                    stderr=restore_errors,
                ) as pg_restore,
                subprocess.Popen(  # noqa: S603 - no shell
                    psql_command,
                    env=self.env,
                    stdin=subprocess.PIPE,
                    stderr=psql_errors,
                ) as psql,
            ):
                assert pg_restore.stdout is not None
                assert psql.stdin is not None
                is_old_server = self.major < 17
                _feed(pg_restore, pg_restore.stdout, psql.stdin, is_old_server=is_old_server)

            if pg_restore.returncode or psql.returncode:
                # When psql fails, pg_restore fails too, because its pipe breaks.
                errors = restore_errors
                if psql.returncode:
                    errors = psql_errors
                problem = "Nothing was restored, and the database is as it was"
                raise BackupError(f"{problem}: {_error_line(errors)}")


def _inspect_database() -> _Database:
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        has_content, major = cursor.fetchone()
    env = libpq_environment(connection.get_connection_params())
    return _Database(programs=fitting(major), env=env, major=major, is_empty=not has_content)


def _feed(
    pg_restore: subprocess.Popen[bytes],
    script: IO[bytes],
    psql: IO[bytes],
    *,
    is_old_server: bool,
) -> None:
    """Write the script into a transaction of psql, which exits and rolls back at an error."""
    try:
        psql.write(b"BEGIN;\n" + _EMPTY.read_bytes())
        for line in script:
            # Newer programs send this setting to servers that do not know it yet.
            is_unknown_setting = is_old_server and line.startswith(b"SET transaction_timeout")
            if not is_unknown_setting:
                psql.write(line)
        if pg_restore.wait() == 0:
            psql.write(b"\nCOMMIT;\n")
        else:
            psql.write(b"\nROLLBACK;\n")
    except BrokenPipeError:
        pg_restore.kill()
    with suppress(BrokenPipeError):
        psql.close()


def _error_line(output: IO[bytes]) -> str:
    output.seek(0)
    text = output.read().decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines:
        if "ERROR" in line or "error" in line:
            return line
    return " ".join(lines[-1:])
