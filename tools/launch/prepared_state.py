"""The state that the last preparation left, so that a second start can skip it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import psycopg

_SOURCES = ("reviewapp", "static", ".venv/installed.txt")
# Written anew by each preparation, whoever's it is; what it says stays the same.
_COLLECTED = "staticfiles/staticfiles.json"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The people's sign-ins, and the `fingerprint` of code and database they were made from."""

    sign_ins: str
    fingerprint: str

    def keep(self, file: Path) -> None:
        """Note this for the next launch."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def kept(cls, file: Path) -> Prepared | None:
        """Return what the last launch noted; None when there is nothing usable."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def fingerprint(root: Path, database_url: str, *more: str) -> str:
    """Return a digest of the code under `root`, of `more`, and of the migrations in the database.

    Empty, which equals no kept one, when the database has no migrations or cannot be asked.
    """
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            applied = connection.execute(
                "SELECT app, name FROM django_migrations ORDER BY app, name",
            ).fetchall()
    except psycopg.Error:
        return ""
    parts = [*more, *(f"{app}.{name}" for app, name in applied), *_files(root)]
    return sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()


def _files(root: Path) -> Iterable[str]:
    for source in _SOURCES:
        path = root / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                found = file.stat()
                yield f"{file.relative_to(root)} {found.st_size} {found.st_mtime_ns}"
    collected = root / _COLLECTED
    yield sha256(collected.read_bytes()).hexdigest() if collected.is_file() else ""
