"""Write the whole database into one file, and bring it back: all of it or nothing.

The file is pg_dump's custom format. A restore is one transaction: the old content goes and the new comes at one
instant, triggers last, so that the history is restored and not written anew.
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
from reviewapp.operations.backup.pg_programs import Programs, environment, fitting

_EMPTY = Path(__file__).with_name("empty.sql")
_HOLDS = """
SELECT EXISTS (
    SELECT 1 FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
), current_setting('server_version_num')::int / 10000
"""


def back_up(file: Path) -> int:
    """Write the database to `file`, readable by its owner only; returns its size in bytes.

    The file appears when it is whole, and never replaces another. Raises `BackupError`.
    """
    if file.exists():
        raise BackupError(f"{file} exists already; name a new file.")
    if not file.parent.is_dir():
        raise BackupError(f"There is no folder {file.parent}.")
    database = _database()
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            command = [database.programs.path("pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
            _check(_run(command, database.env, stdout=out), "pg_dump")
            os.fsync(out.fileno())
        os.link(unfinished, file)
    except FileExistsError:
        raise BackupError(f"{file} exists already; name a new file.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, *, force: bool) -> None:
    """Bring the database to what `file` holds, in one transaction; whatever fails leaves it as it was.

    Refuses a database that holds anything, unless `force`, which replaces all of it when nobody else is at work there.
    Raises `BackupError`.
    """
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    database = _database()
    if database.holds_something and not force:
        raise BackupError(
            "The database is not empty. Restore into a new, empty one (before any migrate), or add --force to replace "
            "everything in this one."
        )
    if database.holds_something and (others := what_runs()):
        raise BackupError(
            f"Nothing was restored: the database is in use ({others}). Stop web processes and workers, then try again."
        )
    connection.close()
    _load(database, file)


@dataclass(frozen=True, kw_only=True)
class _Database:
    programs: Programs
    env: dict[str, str]
    major: int
    holds_something: bool


def _database() -> _Database:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS)
        holds_something, major = cursor.fetchone()
    env = environment(connection.get_connection_params())
    return _Database(programs=fitting(major), env=env, major=major, holds_something=holds_something)


def _load(database: _Database, file: Path) -> None:
    """Feed psql what pg_restore reads from the file, and COMMIT only when pg_restore read all of it."""
    reading = [database.programs.path("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)]
    writing = [database.programs.path("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    with tempfile.TemporaryFile() as told_by_reader, tempfile.TemporaryFile() as told_by_writer:
        with (
            subprocess.Popen(reading, env=database.env, stdout=subprocess.PIPE, stderr=told_by_reader) as reader,  # noqa: S603
            subprocess.Popen(writing, env=database.env, stdin=subprocess.PIPE, stderr=told_by_writer) as writer,  # noqa: S603
        ):
            assert reader.stdout is not None
            assert writer.stdin is not None
            _feed(reader, reader.stdout, writer.stdin, old=database.major < 17)
        if reader.returncode or writer.returncode:
            # Whoever failed first says why: psql's end breaks pg_restore's pipe.
            told = _last(told_by_writer) if writer.returncode else _last(told_by_reader)
            raise BackupError(f"Nothing was restored, and the database is as it was: {told}")


def _feed(reader: subprocess.Popen[bytes], script: IO[bytes], psql: IO[bytes], *, old: bool) -> None:
    """Pass the script on inside a transaction; psql ends by itself, and rolls back, at the first error."""
    try:
        psql.write(b"BEGIN;\n" + _EMPTY.read_bytes())
        for line in script:
            # Newer programs say this to servers that do not know it yet.
            if not (old and line.startswith(b"SET transaction_timeout")):
                psql.write(line)
        psql.write(b"\nCOMMIT;\n" if reader.wait() == 0 else b"\nROLLBACK;\n")
    except BrokenPipeError:
        reader.kill()
    with suppress(BrokenPipeError):
        psql.close()


def _run(command: list[str], env: dict[str, str], stdout: IO[bytes]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, env=env, stdout=stdout, stderr=subprocess.PIPE, check=False)  # noqa: S603 - no shell


def _check(done: subprocess.CompletedProcess[bytes], name: str) -> None:
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise BackupError(f"{name} failed, and no backup was made: {' '.join(said)}")


def _last(told: IO[bytes]) -> str:
    told.seek(0)
    lines = [line for line in told.read().decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if "ERROR" in line or "error" in line), " ".join(lines[-1:]))
