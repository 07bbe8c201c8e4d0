"""What we keep of a document, and the digest that proves which state of it somebody was shown.

Pure. A snapshot can be stored by PostgreSQL, comes back from it equal, and holds nothing that lets anybody read a file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from reviewapp.json_values import canonical, storable_number

Json = dict[str, Any]

MOST_BYTES = 256 * 1024
MOST_DEPTH = 16
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
CUT = "_cut"
# What a run adds at the root of a document: the same document has another score in another run.
RUN_KEYS = ("score", "_score")
CUT_BECAUSE = "This document was too large to be kept whole."

_LONGEST_TEXT = MOST_BYTES // 2
_LONGEST_KEY = 200
_FIRST = {name: at for at, name in enumerate(("document_id", "collection_id", "document_blobs", "source_blobs"))}
_SECRET_FIELD = re.compile(r".*presigned_?urls?", re.IGNORECASE | re.DOTALL)
_VECTOR_FIELD = re.compile(r"(?:.*[_.-])?(?:vectors?|embeddings?)", re.IGNORECASE | re.DOTALL)
_SHORTEST_NAMELESS_VECTOR = 64
_QUERY = re.compile(r"(https?:[^\s?\"'<>]*)\?([^\s\"'<>]*)", re.IGNORECASE)
_SIGNED = re.compile(
    r"(?:x-(?:amz|goog|oss|ms)-.*|signature|sig|expires|token|.*[-_]token|policy|awsaccesskeyid|googleaccessid"
    r"|key-pair-id|hdnt[sl])\Z",
    re.IGNORECASE,
)


def snapshot(document: Mapping[str, Any]) -> Json:
    """Return what may be kept of `document`: no presigned URLs, no vectors, nothing PostgreSQL refuses.

    Bounded to about `MOST_BYTES` and to `MOST_DEPTH`; whatever had to be left out is admitted under the key `CUT`.
    The same document gives the same snapshot whatever the order of its keys.
    """
    keeper = _Keeper()
    kept = keeper.mapping(document, depth=0)
    return {**kept, CUT: CUT_BECAUSE} if keeper.cut else kept


def digest(kept: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a snapshot's canonical JSON, in hex."""
    canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class _Keeper:
    """Copies JSON within a budget of bytes, in an order that the input's order of keys does not decide."""

    def __init__(self) -> None:
        self.left = MOST_BYTES
        self.cut = False

    def mapping(self, value: Mapping[str, Any], depth: int) -> Json:
        kept: Json = {}
        for key in sorted(value, key=lambda name: (_FIRST.get(name, len(_FIRST)), name)):
            if _SECRET_FIELD.fullmatch(key) or (_VECTOR_FIELD.fullmatch(key) and isinstance(value[key], dict | list)):
                continue
            name = storable(key)[:_LONGEST_KEY]
            if not self._afford(name):
                break
            kept[name] = self._any(value[key], depth + 1)
        return kept

    def _any(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict | list) and depth > MOST_DEPTH:
            self.cut = True
            return None
        if isinstance(value, dict):
            return self.mapping(value, depth)
        if isinstance(value, list):
            return self._list(value, depth)
        return self._text(storable(value)) if isinstance(value, str) else _number(value)

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        if len(value) >= _SHORTEST_NAMELESS_VECTOR and all(isinstance(item, float) for item in value):
            return []
        kept = []
        for item in value:
            if not self._afford(""):
                break
            kept.append(self._any(item, depth + 1))
        return kept

    def _text(self, text: str) -> str:
        room = max(min(self.left, _LONGEST_TEXT), 0)
        encoded = text.encode()
        if len(encoded) > room:
            self.cut = True
            text = encoded[:room].decode(errors="ignore")
        self.left -= min(len(encoded), room)
        return text

    def _afford(self, name: str) -> bool:
        self.left -= len(name.encode()) + 8
        self.cut = self.cut or self.left < 0
        return self.left >= 0


def storable(text: str) -> str:
    """Return `text` with what PostgreSQL cannot hold replaced, and signatures taken off the URLs in it."""
    text = UNSTORABLE.sub("\ufffd", text)
    return _QUERY.sub(_unsigned, text) if "?" in text else text


def _unsigned(match: re.Match[str]) -> str:
    names = (unquote(part.partition("=")[0]) for part in re.split("[&;?#]", match[2]))
    return match[1] if any(_SIGNED.match(name) for name in names) else match[0]


def _number(value: Any) -> Any:
    # jsonb does not know the difference between 1e22 and its digits: agree beforehand.
    return canonical(storable_number(value))


def storable_json(value: Any, depth: int = 0) -> Any:
    """Return any JSON whole, but for what PostgreSQL cannot hold and what is nested beyond all use."""
    if isinstance(value, dict | list) and depth > 4 * MOST_DEPTH:
        return None
    if isinstance(value, dict):
        return {storable(key): storable_json(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item, depth + 1) for item in value]
    return storable(value) if isinstance(value, str) else _number(value)
