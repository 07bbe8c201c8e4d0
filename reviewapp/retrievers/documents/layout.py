"""Read documents in any of Mixpeek's three layouts. Pure.

Fields are at the root, under `payload`, or under `content` and `metadata`; the system's own data is
under `_internal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reviewapp.json_values import finite_float, number_text
from reviewapp.retrievers.documents.snapshot import CUT, MAX_SNAPSHOT_DEPTH

Json = Mapping[str, Any]

WRAPPERS = ("payload", "metadata", "content")
BLOB_LISTS = ("document_blobs", "source_blobs")
_SYSTEM_KEYS = {
    "_internal", "document_id", "collection_id", "score", "_score", "searchable_at", CUT,
    *BLOB_LISTS,
}  # fmt: skip


def layers(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield (name, object) for the objects with a document's own fields; the root ("") first."""
    root = {}
    for key, value in document.items():
        if key not in _SYSTEM_KEYS and not (key in WRAPPERS and isinstance(value, dict)):
            root[key] = value
    yield "", root

    for name in WRAPPERS:
        inner = document.get(name)
        if isinstance(inner, dict):
            fields = {key: value for key, value in inner.items() if key not in BLOB_LISTS}
            yield name, fields


def internal(document: Json) -> Json:
    """Return the system's own data about the document."""
    value = document.get("_internal")
    if isinstance(value, dict):
        return value
    return {}


def blobs(document: Json) -> Iterator[Json]:
    """Yield the blobs of a document from all the places where servers put them."""
    wrapped = [document[name] for name in WRAPPERS if isinstance(document.get(name), dict)]
    for holder in (document, *wrapped, internal(document)):
        for key in BLOB_LISTS:
            listed = holder.get(key)
            if isinstance(listed, list):
                yield from (blob for blob in listed if isinstance(blob, dict))


def leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield (path, scalar or list of scalars) for all leaves."""
    if depth > MAX_SNAPSHOT_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]", depth + 1)
    else:
        yield path, value


def text_leaves(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (path, text) for all leaves, as people read them."""
    for path, leaf in leaves(value):
        yield path, format_leaf(leaf)


def format_leaf(value: Any) -> str:
    """Return a scalar, or a list of scalars, as people read it."""
    if isinstance(value, list):
        return ", ".join(map(format_scalar, value))
    return format_scalar(value)


def format_scalar(value: Any) -> str:
    """Return a scalar as people read it; a number to its last digit."""
    if value is None:
        return ""
    if isinstance(value, bool):
        if value:
            return "yes"
        return "no"
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def text_at(document: Json, *names: str) -> str:
    """Return the first text under one of `names`, in any layer, that is not blank."""
    for name in names:
        for _, layer in layers(document):
            value = layer.get(name)
            if isinstance(value, str) and value.strip():
                return value
    return ""


def number_at(document: Json, *names: str) -> float | None:
    """Return the first number under one of `names`, in any layer or in the system's own data."""
    system = internal(document)
    holders = [layer for _, layer in layers(document)]
    holders.append(system)
    if isinstance(system.get("metadata"), dict):
        holders.append(system["metadata"])

    for name in names:
        for holder in holders:
            number = finite_float(holder.get(name))
            if number is not None:
                return number
    return None
