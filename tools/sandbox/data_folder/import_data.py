"""The data folder, read line by line into the state.

The rule, on every start: a row whose id the state does not know yet is added; a row it knows is
left as the state has it, because the state may hold later edits. So nothing that was changed
through the API is ever undone by the folder, and a deleted annotation stays deleted. A folder whose
files did not change since it was last read is not read again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.sandbox.data_folder.import_rows import (
    FILES,
    RowError,
    annotation_row,
    document_row,
    execution_row,
    named_namespace,
    retriever_row,
)
from tools.sandbox.errors import BadData
from tools.sandbox.rules.search import Index
from tools.sandbox.rules.validation import Json, broken_text, parse_json
from tools.sandbox.store import Store, packed

DEFAULT_NAMESPACE = "ns_sample"
_INSERTS = {
    "retrievers.jsonl": "INSERT OR IGNORE INTO retrievers (namespace_id, retriever_id, name, body) VALUES (?, ?, ?, ?)",
    "documents.jsonl": (
        "INSERT OR IGNORE INTO documents (namespace_id, document_id, collection_id, body) VALUES (?, ?, ?, ?)"
    ),
    "executions.jsonl": (
        "INSERT OR IGNORE INTO executions (namespace_id, execution_id, retriever_id, status, body)"
        " VALUES (?, ?, ?, ?, ?)"
    ),
    "annotations.jsonl": (
        "INSERT OR IGNORE INTO annotations (namespace_id, annotation_id, document_id, collection_id, label, actor_id,"
        " retriever_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ),
}
_READERS: dict[str, Callable[[Json, str], tuple[Any, ...]]] = {
    "retrievers.jsonl": retriever_row,
    "documents.jsonl": document_row,
    "executions.jsonl": execution_row,
    "annotations.jsonl": annotation_row,
}


def load(store: Store, folder: Path, namespace: str = "") -> dict[str, int]:
    """Add the folder's new rows; return how many came from each file.

    Raises `BadData`, and then adds none. Rows that carry no `namespace_id` get `namespace`, or if
    that is "" the one that most rows carry, or `DEFAULT_NAMESPACE`.
    """
    fingerprint = _fingerprint(folder, namespace)
    if store.recall("loaded") == fingerprint:
        return dict.fromkeys(FILES, 0)

    home = namespace or _most_named(folder)
    sizes: Counter[str] = Counter()
    with store.writing():
        index = Index(store)
        store.db.execute("INSERT OR IGNORE INTO namespaces VALUES (?)", (home,))
        added = {name: _load_file(store, index, folder / name, home, sizes) for name in FILES}
        store.remember("loaded", fingerprint)
        store.remember("data", packed({"namespace": home, "rows": sizes}))
    return added


def describe_data(store: Store) -> Json:
    """Return the namespace of the folder's rows that carry none, and the rows of each namespace."""
    described: Json = json.loads(store.recall("data") or '{"namespace": "", "rows": {}}')
    return described


def _most_named(folder: Path) -> str:
    """Return the namespace that most rows of the folder carry, else `DEFAULT_NAMESPACE`."""
    named: Counter[str] = Counter()
    for name in FILES:
        path = folder / name
        if not path.is_file():
            continue
        for _number, row in _lines(path):
            namespace = named_namespace(row)
            if namespace:
                named[namespace] += 1
    if not named:
        return DEFAULT_NAMESPACE
    return named.most_common(1)[0][0]


def _fingerprint(folder: Path, namespace: str) -> str:
    if not folder.is_dir():
        raise BadData(f"There is no data folder {folder}.")
    paths = [folder / name for name in FILES if (folder / name).is_file()]
    if not paths:
        raise BadData(f"{folder} holds none of {', '.join(FILES)}.")

    stats = {}
    for path in paths:
        stat = path.stat()
        stats[path.name] = (stat.st_size, stat.st_mtime_ns)
    return packed([str(folder.resolve()), namespace, stats])


def _load_file(
    store: Store,
    index: Index,
    path: Path,
    namespace: str,
    sizes: Counter[str],
) -> int:
    if not path.is_file():
        return 0
    seen: dict[tuple[str, str], int] = {}
    namespaces: set[str] = set()
    added = 0
    for number, row in _lines(path):
        try:
            values = _READERS[path.name](row, namespace)
        except RowError as error:
            raise BadData(f"{path.name}:{number}: {error}") from error

        row_namespace, row_id = values[:2]
        sizes[row_namespace] += 1
        first = seen.setdefault((row_namespace, row_id), number)
        if first != number:
            raise BadData(
                f"{path.name}:{number}: the id {row_id!r} stands in line {first} already",
            )
        if row_namespace not in namespaces:
            namespaces.add(row_namespace)
            store.db.execute("INSERT OR IGNORE INTO namespaces VALUES (?)", (row_namespace,))
        added += _insert(store, index, path.name, values, row)
    return added


def _insert(store: Store, index: Index, name: str, values: tuple[Any, ...], row: Json) -> int:
    cursor = store.db.execute(_INSERTS[name], values)
    if cursor.rowcount and name == "documents.jsonl" and cursor.lastrowid:
        index.add(cursor.lastrowid, row)
    return max(cursor.rowcount, 0)


def _lines(path: Path) -> Iterator[tuple[int, Json]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _parse(path.name, number, line)


def _parse(name: str, number: int, line: bytes) -> Json:
    place = f"{name}:{number}"
    # Only the first line can begin with a byte order mark.
    encoding = "utf-8-sig" if number == 1 else "utf-8"
    try:
        row = parse_json(line.decode(encoding))
    except UnicodeDecodeError as error:
        raise BadData(f"{place}: is not UTF-8 text ({error.reason})") from error
    except (ValueError, RecursionError) as error:
        raise BadData(f"{place}: is not JSON ({error})") from error

    if not isinstance(row, dict):
        raise BadData(f"{place}: is not a JSON object")
    if b"\\ud" in line.lower() and broken_text(row):
        raise BadData(f"{place}: holds half of a surrogate pair, which is no character")
    return row
