"""One migrated database that every test process copies; it is made anew when a migration changes.

Migrating takes some ten seconds, copying a tenth of one. The template lives in the tests' own
cluster, so it is there for the next run as well.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from reviewapp.postgres import server
from reviewapp.postgres.cluster import program

ROOT = Path(__file__).resolve().parents[1]
_PREFIX = "template_reviewapp_"


def template_database(folder: Path) -> str:
    """Return the name of the migrated database in the cluster of `folder`, made if missing.

    Processes that ask at the same time wait for the one that makes it.
    """
    name = _PREFIX + _digest()
    url = server.join(folder / "postgres", durable=False).url
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with psycopg.connect(url, autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [name]
            ).fetchone()
            if known is None:
                _make(connection, name, url)
    return name


def copy_template(folder: Path, data: Path) -> None:
    """Make a server with its data in `data`, whose database is a copy of the one in `folder`."""
    name = template_database(folder)
    source = server.join(folder / "postgres", durable=False).url
    template = urlunsplit(urlsplit(source)._replace(path=f"/{name}"))
    copy = server.join(data).url
    dump = data.with_name("template.dump")
    try:
        _run("pg_dump", "--format=custom", "--file", str(dump), template)
        _run("pg_restore", "--exit-on-error", "--dbname", copy, str(dump))
    finally:
        server.leave(data)


def _run(name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs."""
    subprocess.run([str(program(name)), *arguments], check=True)


def _make(connection: psycopg.Connection, name: str, url: str) -> None:
    """Migrate a new database under another name, so that nobody copies a half-made one."""
    old = connection.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_PREFIX]
    )
    for (datname,) in old.fetchall():
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(datname)))

    unfinished = f"{name}_unfinished"
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    _migrate(urlunsplit(urlsplit(url)._replace(path=f"/{unfinished}")))
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    connection.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(name)))


def _migrate(url: str) -> None:
    environment = {"DATABASE_URL": url, "SECRET_KEY": "k" * 64, "HTTPS": "off"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=kept | environment, check=True)


def _digest() -> str:
    """Return a digest of all that a migrated database is made from."""
    files = [ROOT / "requirements.txt", *sorted((ROOT / "reviewapp").rglob("migrations/*.py"))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(ROOT).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
