"""The state file: one SQLite database; a write is on disk before its answer is sent."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.sandbox.errors import BadData

FORMAT = "1"
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE namespaces (namespace_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, namespace_id TEXT NOT NULL, document_id TEXT NOT NULL, collection_id TEXT,
    body TEXT NOT NULL, UNIQUE (namespace_id, document_id));
CREATE INDEX documents_by_collection ON documents (namespace_id, collection_id);
CREATE TABLE annotations (
    number INTEGER PRIMARY KEY, namespace_id TEXT NOT NULL, annotation_id TEXT NOT NULL, document_id TEXT NOT NULL,
    collection_id TEXT, label TEXT NOT NULL, actor_id TEXT, retriever_id TEXT, deleted INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL, UNIQUE (namespace_id, annotation_id));
CREATE INDEX annotations_listed ON annotations (namespace_id, number) WHERE NOT deleted;
CREATE INDEX annotations_by_document ON annotations (namespace_id, document_id);
CREATE INDEX annotations_by_retriever ON annotations (namespace_id, retriever_id, number);
CREATE TABLE retrievers (
    number INTEGER PRIMARY KEY, namespace_id TEXT NOT NULL, retriever_id TEXT NOT NULL, name TEXT NOT NULL,
    body TEXT NOT NULL, UNIQUE (namespace_id, retriever_id), UNIQUE (namespace_id, name));
CREATE TABLE executions (
    number INTEGER PRIMARY KEY, namespace_id TEXT NOT NULL, execution_id TEXT NOT NULL, retriever_id TEXT NOT NULL,
    status TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (namespace_id, execution_id));
CREATE INDEX executions_by_retriever ON executions (namespace_id, retriever_id, number);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, namespace_id TEXT NOT NULL, event_type TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE paths (path_id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 2');
"""
# Came after the first state files, which are given them when they are opened.
_LATER_TABLES = """
CREATE TABLE IF NOT EXISTS webhooks (number INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL, channel INTEGER NOT NULL, seq INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL);
CREATE TABLE IF NOT EXISTS audit_events (
    number INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, resource_type TEXT NOT NULL, resource_id TEXT NOT NULL,
    actor_id TEXT NOT NULL, action TEXT NOT NULL, body TEXT NOT NULL);
"""


class Store:
    """A connection to the state; autocommit, except inside `writing()`."""

    def __init__(self, path: Path | None) -> None:
        """Open `path` (memory when None), making the tables on first use. Raises `BadData`."""
        try:
            self.db = sqlite3.connect(
                str(path) if path else ":memory:",
                isolation_level=None,
                timeout=10,
            )
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise BadData(_open_failure(path, error)) from error

    def _prepare(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing under NORMAL; only a power cut could take the last moments.
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA cache_size = -65536")
        if not self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self.db.executescript(f"BEGIN; {_TABLES} COMMIT;")
            self.remember("format", FORMAT)
            self.remember("secret", secrets.token_hex(32))
        if self.recall("format") != FORMAT:
            raise sqlite3.DatabaseError("it was written by another version")
        self.db.executescript(f"BEGIN; {_LATER_TABLES} COMMIT;")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make everything inside one transaction: all of it on disk, or none."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None."""
        return self.db.execute(sql, values).fetchone()

    def body(self, sql: str, *values: Any) -> dict[str, Any] | None:
        """Return the JSON object in the first column of the first row, or None."""
        row = self.one(sql, *values)
        return json.loads(row[0]) if row else None

    def bodies(self, sql: str, *values: Any) -> Iterator[dict[str, Any]]:
        """Yield the JSON object in the first column of each row."""
        return (json.loads(row[0]) for row in self.db.execute(sql, values))

    def recall(self, key: str) -> str | None:
        """Return a remembered value."""
        row = self.one("SELECT value FROM meta WHERE key = ?", key)
        return row[0] if row else None

    def remember(self, key: str, value: str) -> None:
        """Keep a value across restarts."""
        self.db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = ?2",
            (key, value),
        )

    def close(self) -> None:
        """Close the database, folding the write-ahead log into it."""
        self.db.close()


def packed(value: Any) -> str:
    """Return compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def now() -> str:
    """Return this instant as Mixpeek writes it."""
    return instant_text(datetime.now(UTC))


def instant_text(instant: datetime) -> str:
    """Return an aware datetime as Mixpeek writes it: ISO 8601, UTC, with microseconds."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_id(prefix: str) -> str:
    """Return a fresh opaque id."""
    return f"{prefix}_{secrets.token_hex(8)}"


def _open_failure(path: Path | None, error: sqlite3.Error) -> str:
    if "fts5" in str(error):
        return "This Python's SQLite was built without FTS5, which feature_search needs; use another Python build."
    return f"Cannot use {path} as the state file: {error}. Name a file that this sandbox made, or a new one."
