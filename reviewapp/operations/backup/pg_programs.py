"""Find PostgreSQL's own programs that fit the server, and their environment.

pg_dump reads every server that is not newer than itself. A restore goes through psql.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.pq import Conninfo

from reviewapp.operations.backup.exceptions import BackupError
from reviewapp.postgres.cluster import program
from reviewapp.postgres.exceptions import EmbeddedPostgresError

_PROGRAMS = ("pg_dump", "pg_restore", "psql")
# By the name of a connection parameter, libpq's environment variable.
_ENVIRONMENT_NAMES = {
    option.keyword.decode(): option.envvar.decode()
    for option in Conninfo.get_defaults()
    if option.envvar
}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The programs pg_dump, pg_restore and psql of one installation, and their major version."""

    folder: Path
    major: int

    @classmethod
    def in_folder(cls, folder: Path) -> Programs | None:
        """Return the programs in a folder, None if one is missing or does not tell its version."""
        if not all((folder / name).is_file() for name in _PROGRAMS):
            return None

        process = subprocess.run(  # noqa: S603 - no shell
            [str(folder / "pg_dump"), "--version"],
            check=False,
            capture_output=True,
            text=True,
        )
        major = re.search(r"\) (\d+)", process.stdout)
        if major is None:
            return None
        return cls(folder=folder, major=int(major[1]))

    def path(self, name: str) -> str:
        """Return the path of one of them."""
        return str(self.folder / name)


def fitting(server_major: int) -> Programs:
    """Return the oldest programs here that are not older than the server.

    Raises `BackupError` when there are none.
    """
    folders = []
    with suppress(EmbeddedPostgresError):
        folders.append(program("pg_dump").parent)
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("pg_dump")
    if on_path:
        folders.append(Path(on_path).parent)

    installed = []
    for folder in folders:
        programs = Programs.in_folder(folder)
        if programs is not None:
            installed.append(programs)

    usable = [programs for programs in installed if programs.major >= server_major]
    if usable:
        return min(usable, key=lambda programs: programs.major)

    available = "none"
    if installed:
        versions = ", ".join(str(programs.major) for programs in installed)
        available = f"only those of {versions}"
    raise BackupError(
        f"The server is PostgreSQL {server_major}, and its programs pg_dump, pg_restore and psql "
        f"are needed in that version or a later one; here are {available}. Install them (Debian: "
        f"postgresql-client-{server_major}), or back up with the tools of whoever runs the "
        "server."
    )


def libpq_environment(params: dict[str, Any]) -> dict[str, str]:
    """Return psycopg's parameters as libpq's variables: a command line would show the password."""
    connection_variables = {}
    for key, value in params.items():
        if key in _ENVIRONMENT_NAMES and value not in (None, ""):
            connection_variables[_ENVIRONMENT_NAMES[key]] = str(value)

    inherited = {}
    for name in ("PATH", "HOME", "TMPDIR"):
        if name in os.environ:
            inherited[name] = os.environ[name]
    return {
        **inherited,
        "LC_ALL": "C.UTF-8",
        "PGCLIENTENCODING": "UTF8",
        "PGAPPNAME": "reviewapp backup",
        **connection_variables,
    }
