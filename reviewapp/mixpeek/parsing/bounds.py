"""Limits on what is accepted from Mixpeek; a larger value is not a record of Mixpeek's.

Each limit is far above what Mixpeek's own schema promises, and small enough for our database and
our pages. Lengths are in characters.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

# One answer: its bytes, and the objects, lists and members in it, each of which costs memory.
MAX_BYTES = 32 * 1024 * 1024
MAX_VALUES = 2_000_000

# One list, over all its pages.
MAX_ROWS = 10_000
MAX_ANNOTATIONS = 1_000_000

MAX_ID_LENGTH = 200
MAX_CURSOR_LENGTH = 1_000
MAX_TEXT_LENGTH = 50_000
MAX_VERSION = 1_000_000_000
MAX_COUNT = 2**31 - 1

# One value, as JSON: a payload or metadata, and a record that is stored as it was sent.
MAX_JSON_LENGTH = 256 * 1024
MAX_BODY_LENGTH = 1024 * 1024
# Python's stack holds some hundred levels, and code that walks a value needs several for each.
MAX_DEPTH = 100

# One annotation or run, the newest first; all revisions together may take `MAX_BODY_LENGTH`.
MAX_REVISIONS = 200
MAX_WARNINGS = 100

# One retriever or document.
MAX_STRINGS = 1_000
MAX_BLOBS = 1_000


_NOT_IN_AN_ID = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def is_id(text: str) -> bool:
    """Return whether `text` can identify a record in the path of a call."""
    return bool(text) and text not in {".", ".."} and not _NOT_IN_AN_ID.search(text)


def json_length(value: Any) -> float:
    """Return the length of a value as JSON; infinite if it is nested deeper than 100 levels."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return math.inf

    # A value with few brackets cannot be nested deeply, and most values have few.
    may_be_deep = text.count("[") + text.count("{") > MAX_DEPTH
    if may_be_deep and _is_deep(value):
        return math.inf
    return len(text)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return False

        level = []
        for container in containers:
            if isinstance(container, dict):
                level.extend(container.values())
            else:
                level.extend(container)
    return any(isinstance(item, dict | list) for item in level)
