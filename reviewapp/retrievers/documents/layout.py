"""Find one's way in a document, whichever of the three layouts Mixpeek gave it.

Fields stand at the root, under `payload`, or under `content` and `metadata`; what the system knows stands under
`_internal`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reviewapp.retrievers.documents.snapshot import CUT, MOST_DEPTH

Json = Mapping[str, Any]

WRAPPERS = ("payload", "metadata", "content")
BLOB_LISTS = ("document_blobs", "source_blobs")
_SYSTEM = {"_internal", "document_id", "collection_id", "score", "_score", "searchable_at", CUT, *BLOB_LISTS}


def layers(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield the objects that hold a document's own fields, each with its name; the root comes first, nameless."""
    yield "", {key: value for key, value in document.items() if not _is_layer(key, value) and key not in _SYSTEM}
    for name in WRAPPERS:
        inner = document.get(name)
        if isinstance(inner, dict):
            yield name, {key: value for key, value in inner.items() if key not in BLOB_LISTS}


def _is_layer(key: str, value: Any) -> bool:
    return key in WRAPPERS and isinstance(value, dict)


def internal(document: Json) -> Json:
    """Return what the system noted about the document."""
    found = document.get("_internal")
    return found if isinstance(found, dict) else {}


def blobs(document: Json) -> Iterator[Json]:
    """Yield the files of a document from all the places where servers keep them."""
    wrapped = [document[name] for name in WRAPPERS if isinstance(document.get(name), dict)]
    for holder in (document, *wrapped, internal(document)):
        for key in BLOB_LISTS:
            listed = holder.get(key)
            yield from (blob for blob in listed if isinstance(blob, dict)) if isinstance(listed, list) else ()


def leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield (path, scalar) for everything inside; a list of scalars counts as one value, joined by commas."""
    if depth > MOST_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for at, item in enumerate(value):
            yield from leaves(item, f"{path}[{at}]", depth + 1)
    elif isinstance(value, list):
        yield path, ", ".join(shown(item) for item in value)
    else:
        yield path, value


def shown(value: Any) -> str:
    """Return a scalar as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def text_at(document: Json, *names: str) -> str:
    """Return the first text under one of `names`, in any layer, that is not blank."""
    for name in names:
        for _, layer in layers(document):
            found = layer.get(name)
            if isinstance(found, str) and found.strip():
                return found
    return ""


def number_at(document: Json, *names: str) -> float | None:
    """Return the first number under one of `names`, in any layer or in what the system noted."""
    noted = internal(document)
    inner = noted.get("metadata")
    for name in names:
        for layer in (*(layer for _, layer in layers(document)), noted, inner if isinstance(inner, dict) else {}):
            found = layer.get(name)
            if isinstance(found, int | float) and not isinstance(found, bool):
                return float(found)
    return None
