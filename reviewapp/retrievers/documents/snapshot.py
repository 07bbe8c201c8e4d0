"""Snapshots of documents, and the digest that proves which state of a document was shown. Pure.

A snapshot can be stored by PostgreSQL, is read back equal, and holds no URL that grants access to a
file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from reviewapp.json_values import canonical
from reviewapp.storable import storable_json, storable_number, storable_text

Json = dict[str, Any]

MAX_SNAPSHOT_BYTES = 256 * 1024
MAX_SNAPSHOT_DEPTH = 16
CUT = "_cut"
# Keys that a run adds at the root: the same document has another score in another run.
RUN_KEYS = ("score", "_score")
CUT_REASON = "This document was too large to be kept whole."

_MAX_TEXT_BYTES = MAX_SNAPSHOT_BYTES // 2
_MAX_KEY_LENGTH = 200
# Copied first, so that they stay in a snapshot that is cut.
_FIRST_KEYS = ("document_id", "collection_id", "document_blobs", "source_blobs")
_KEY_RANK = {name: rank for rank, name in enumerate(_FIRST_KEYS)}
_SECRET_FIELD = re.compile(r".*presigned_?urls?", re.IGNORECASE | re.DOTALL)
_VECTOR_FIELD = re.compile(r"(?:.*[_.-])?(?:vectors?|embeddings?)", re.IGNORECASE | re.DOTALL)
_MIN_UNNAMED_VECTOR_LENGTH = 64
_QUERY = re.compile(r"(https?:[^\s?\"'<>]*)\?([^\s\"'<>]*)", re.IGNORECASE)
_SIGNED = re.compile(
    r"(?:x-(?:amz|goog|oss|ms)-.*|signature|sig|expires|token|.*[-_]token|policy"
    r"|awsaccesskeyid|googleaccessid|key-pair-id|hdnt[sl])\Z",
    re.IGNORECASE,
)


def snapshot(document: Mapping[str, Any]) -> Json:
    """Return `document` without presigned URLs, vectors, and values that PostgreSQL refuses.

    Bounded to about `MAX_SNAPSHOT_BYTES` and to `MAX_SNAPSHOT_DEPTH`; if it was cut, the key `CUT`
    says so. The same document gives the same snapshot whatever the order of its keys.
    """
    copier = _BoundedCopier()
    copy = copier.copy_mapping(document, depth=0)
    if copier.is_cut:
        copy[CUT] = CUT_REASON
    return copy


def digest(snapshot: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a snapshot's canonical JSON, in hex."""
    text = json.dumps(snapshot, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class _BoundedCopier:
    """Copies JSON within a budget of bytes, independently of the input's key order."""

    def __init__(self) -> None:
        self.remaining_bytes = MAX_SNAPSHOT_BYTES
        self.is_cut = False

    def copy_mapping(self, value: Mapping[str, Any], depth: int) -> Json:
        copy: Json = {}
        for key in sorted(value, key=lambda name: (_KEY_RANK.get(name, len(_KEY_RANK)), name)):
            is_vector = _VECTOR_FIELD.fullmatch(key) and isinstance(value[key], dict | list)
            if is_vector or _SECRET_FIELD.fullmatch(key):
                continue

            name = clean_text(key)[:_MAX_KEY_LENGTH]
            if not self._spend_on_member(name):
                break
            copy[name] = self._copy(value[key], depth + 1)
        return copy

    def _copy(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict | list) and depth > MAX_SNAPSHOT_DEPTH:
            self.is_cut = True
            return None
        if isinstance(value, dict):
            return self.copy_mapping(value, depth)
        if isinstance(value, list):
            return self.copy_list(value, depth)
        if isinstance(value, str):
            return self.copy_text(clean_text(value))
        return canonical(storable_number(value))

    def copy_list(self, value: list[Any], depth: int) -> list[Any]:
        """Return a copy within the limits; [] for a vector."""
        is_long = len(value) >= _MIN_UNNAMED_VECTOR_LENGTH
        is_vector = is_long and all(isinstance(item, float) for item in value)
        if is_vector:
            return []

        copy = []
        for item in value:
            if not self._spend_on_member(""):
                break
            copy.append(self._copy(item, depth + 1))
        return copy

    def copy_text(self, text: str) -> str:
        """Return as much of the text as the limits leave."""
        limit = max(min(self.remaining_bytes, _MAX_TEXT_BYTES), 0)
        encoded = text.encode()
        if len(encoded) > limit:
            self.is_cut = True
            text = encoded[:limit].decode(errors="ignore")
        self.remaining_bytes -= min(len(encoded), limit)
        return text

    def _spend_on_member(self, name: str) -> bool:
        """Take a member of an object or list from the budget; return False if it is used up."""
        self.remaining_bytes -= len(name.encode()) + 8
        if self.remaining_bytes < 0:
            self.is_cut = True
            return False
        return True


def clean_text(text: str) -> str:
    """Return `text` with unstorable characters replaced, and without signatures in its URLs."""
    text = storable_text(text)
    if "?" not in text:
        return text
    return _QUERY.sub(_without_signature, text)


def _without_signature(match: re.Match[str]) -> str:
    for parameter in re.split("[&;?#]", match[2]):
        name = unquote(parameter.partition("=")[0])
        if _SIGNED.match(name):
            return match[1]
    return match[0]


def clean_json(value: Any) -> Any:
    """Return JSON that PostgreSQL can store, its numbers normalized and its texts cleaned."""
    return canonical(storable_json(value, clean_text=clean_text))
