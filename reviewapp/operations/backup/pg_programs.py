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

_KEYWORDS = {option.keyword.decode(): (option.envvar or b"").decode() for option in Conninfo.get_defaults()}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """One installation's pg_dump, pg_restore and psql, and which major version they are."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """Return the path of one of them."""
        return str(self.folder / name)


def fitting(server_major: int) -> Programs:
    """Return the oldest programs here that are not older than the server.

    Raises `BackupError` when there are none.
    """
    found = [each for each in map(_look, _folders()) if each is not None]
    fit = [each for each in found if each.major >= server_major]
    if fit:
        return min(fit, key=lambda each: each.major)
    there = f"only those of {', '.join(str(each.major) for each in found)}" if found else "none"
    raise BackupError(
        f"The server is PostgreSQL {server_major}, and its programs pg_dump, pg_restore and psql are needed in that "
        f"version or a later one; here are {there}. Install them (Debian: postgresql-client-{server_major}), or make "
        "the backup with the tools of whoever runs the server."
    )


def environment(params: dict[str, Any]) -> dict[str, str]:
    """Return the variables that tell libpq what psycopg's parameters say; a password is no word of
    a command line.
    """
    told = {
        _KEYWORDS[key]: str(value) for key, value in params.items() if _KEYWORDS.get(key) and value not in (None, "")
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "PGCLIENTENCODING": "UTF8",
        "PGAPPNAME": "reviewapp backup",
        **told,
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
