"""PostgreSQL's own programs: where they are, whether they fit the server, how they learn where it
is.

pg_dump reads every server that is not newer than itself; what it wrote is restored through psql.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.pq import Conninfo

from reviewapp.operations.backup.exceptions import BackupError
from reviewapp.postgres.cluster import program
from reviewapp.postgres.exceptions import EmbeddedPostgresError

_ENVIRONMENT_NAMES = {
    option.keyword.decode(): (option.envvar or b"").decode() for option in Conninfo.get_defaults()
}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The programs pg_dump, pg_restore and psql of one installation, and their major version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """Return the path of one of them."""
        return str(self.folder / name)


def fitting(server_major: int) -> Programs:
    """Return the oldest programs here that are not older than the server.

    Raises `BackupError` when there are none.
    """
    installed = [programs for programs in map(_look, _folders()) if programs is not None]
    usable = [programs for programs in installed if programs.major >= server_major]
    if usable:
        return min(usable, key=lambda programs: programs.major)

    there = "none"
    if installed:
        versions = ", ".join(str(programs.major) for programs in installed)
        there = f"only those of {versions}"
    raise BackupError(
        f"The server is PostgreSQL {server_major}, and its programs pg_dump, pg_restore and psql are needed in that "
        f"version or a later one; here are {there}. Install them (Debian: postgresql-client-{server_major}), or make "
        "the backup with the tools of whoever runs the server."
    )


def environment(params: dict[str, Any]) -> dict[str, str]:
    """Return psycopg's parameters as libpq's variables: a command line would show the password."""
    connection_variables = {}
    for key, value in params.items():
        if _ENVIRONMENT_NAMES.get(key) and value not in (None, ""):
            connection_variables[_ENVIRONMENT_NAMES[key]] = str(value)

    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
    }
    return {
        **inherited,
        "LC_ALL": "C.UTF-8",
        "PGCLIENTENCODING": "UTF8",
        "PGAPPNAME": "reviewapp backup",
        **connection_variables,
    }


def _folders() -> Iterator[Path]:
    with suppress(EmbeddedPostgresError):
        yield program("pg_dump").parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent


def _look(folder: Path) -> Programs | None:
    if not all((folder / name).is_file() for name in ("pg_dump", "pg_restore", "psql")):
        return None
    command = [str(folder / "pg_dump"), "--version"]
    said = subprocess.run(command, check=False, capture_output=True, text=True).stdout  # noqa: S603 - no shell
    number = re.search(r"\) (\d+)", said)
    return Programs(folder=folder, major=int(number[1])) if number else None
