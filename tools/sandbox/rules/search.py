"""Full text over every field of the documents: SQLite FTS5, ranked by BM25.

Each text field is a row of its own in the index, so that a search can be held to some fields and a
short title counts for more than a long body. A row's id is made of the document's number and the
field's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools.sandbox.rules.validation import Json
from tools.sandbox.store import Store

_PATH_BITS = 20
_ENVELOPES = {"payload", "metadata"}
_NOT_TEXT = {
    "_internal",
    "document_blobs",
    "source_blobs",
    "blobs",
    "lineage_chain",
    "presigned_urls",
    "features",
}
_ID = re.compile(r"(^|_)(id|ids|url|urls|uri|at|digest|checksum)$")
# Scripts written without spaces between words: each character is indexed as a word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f\uff66-\uff9f"
_CHARACTER = re.compile(f"([{_UNSPACED}])")
# Whatever stands between spaces is handed to FTS5 in quotes, which takes it apart as it did the
# documents.
_CHUNK = re.compile(f'[{_UNSPACED}]+|[^\\s\0"{_UNSPACED}]+')


class Index:
    """Writes documents into the index and reads relevance out of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._paths: dict[str, int] = dict(store.db.execute("SELECT path, path_id FROM paths"))

    def add(self, number: int, document: Json) -> None:
        """Index one document's texts."""
        rows = []
        for path, texts in texts_of(document).items():
            rowid = number << _PATH_BITS | self._path_id(path)
            rows.append((rowid, _spaced(" \n ".join(texts))))
        self._store.db.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", rows)

    def _path_id(self, path: str) -> int:
        path_id = self._paths.get(path)
        if path_id is None:
            path_id = len(self._paths) % (1 << _PATH_BITS)
            self._paths[path] = path_id
            self._store.db.execute("INSERT INTO paths VALUES (?, ?)", (path_id, path))
        return path_id

    def relevance(self, query: str, fields: list[str] | None) -> dict[int, float]:
        """Return {document number: relevance above 0} for each document with a word of `query`."""
        match = _match(query)
        if not match:
            return {}
        path_ids = self._path_ids(fields)
        scores: dict[int, float] = {}
        sql = "SELECT rowid, bm25(texts) FROM texts WHERE texts MATCH ?"
        for rowid, rank in self._store.db.execute(sql, (match,)):
            path_id = rowid & ((1 << _PATH_BITS) - 1)
            if path_ids is None or path_id in path_ids:
                number = rowid >> _PATH_BITS
                scores[number] = scores.get(number, 0.0) - rank
        return scores

    def _path_ids(self, fields: list[str] | None) -> set[int] | None:
        if fields is None:
            return None

        names = set()
        for field in fields:
            envelope, _, inner = field.partition(".")
            names.add(inner if envelope in _ENVELOPES else field)

        prefixes = tuple(f"{name}." for name in names)
        path_ids = set()
        for path, path_id in self._paths.items():
            if path in names or path.startswith(prefixes):
                path_ids.add(path_id)
        return path_ids


def texts_of(document: Json) -> dict[str, list[str]]:
    """Return dotted path -> texts; `payload` and `metadata` are envelopes and no part of a path."""
    texts: dict[str, list[str]] = {}
    for path, text in _walk("", document):
        texts.setdefault(path, []).append(text)
    return texts


def _walk(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for item in value:
            yield from _walk(path, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _NOT_TEXT and not _ID.search(key):
                yield from _walk(_inner_path(path, key), item)


def _inner_path(path: str, key: str) -> str:
    if path:
        return f"{path}.{key}"
    if key in _ENVELOPES:
        return ""
    return key


def _spaced(text: str) -> str:
    return _CHARACTER.sub(r" \1 ", text)


def _match(query: str) -> str:
    chunks = (chunk.casefold() for chunk in _CHUNK.findall(query) if any(map(str.isalnum, chunk)))
    words = dict.fromkeys(chunks)
    return " OR ".join(f'"{_spaced(word)}"' for word in words)
