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

    def save(self, file: Path) -> None:
        """Write this for the next launch."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, file: Path) -> Prepared | None:
        """Return what the last launch saved; None when there is nothing usable."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def fingerprint(root: Path, database_url: str, *more: str) -> str:
    """Return a digest of the code under `root`, of `more`, and of the migrations in the database.

    "" when the database has no migrations or cannot be reached; no saved fingerprint equals it.
    """
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            applied = connection.execute(
                "SELECT app, name FROM django_migrations ORDER BY app, name",
            ).fetchall()
    except psycopg.Error:
        return ""
    migrations = [f"{app}.{name}" for app, name in applied]
    lines = [*more, *migrations, *_describe_files(root)]
    return sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _describe_files(root: Path) -> Iterable[str]:
    """Yield each source file with its size and time, then the digest of the collected files."""
    for source in _SOURCES:
        path = root / source
        files = [path]
        if path.is_dir():
            files = sorted(path.rglob("*"))
        for file in files:
            if not file.is_file() or file.suffix == ".pyc":
                continue
            status = file.stat()
            yield f"{file.relative_to(root)} {status.st_size} {status.st_mtime_ns}"

    collected = root / _COLLECTED
    digest = ""
    if collected.is_file():
        digest = sha256(collected.read_bytes()).hexdigest()
    yield digest
