"""How much of what Mixpeek sends is taken in: whatever is larger is no record of Mixpeek's, and is left out.

Each is far beyond what Mixpeek's own schema promises, and small enough for our database and our pages.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

# Of one answer: its bytes, and the objects, lists and members in it, each of which costs memory.
MOST_BYTES = 32 * 1024 * 1024
MOST_VALUES = 2_000_000

# Of one list, over all its pages.
MOST_ROWS = 10_000
MOST_ANNOTATIONS = 1_000_000

LONGEST_ID = 200
LONGEST_CURSOR = 1_000
LONGEST_TEXT = 50_000
LONGEST_INTEGER = 1_000
MOST_VERSION = 1_000_000_000
MOST_COUNT = 2**31 - 1

# Of one value, as JSON: a payload or metadata, and a record that is kept as it was sent.
MOST_JSON = 256 * 1024
MOST_BODY = 1024 * 1024
# Python's stack holds some hundred levels, and what walks through a value needs some for each.
MOST_LEVELS = 100

# Of one annotation or run, the newest; all revisions together may take `MOST_BODY`.
MOST_REVISIONS = 200
MOST_REMARKS = 100

# Of one retriever or document.
MOST_TEXTS = 1_000
MOST_BLOBS = 1_000


_NOT_IN_AN_ID = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def is_id(text: str) -> bool:
    """Return whether a text can stand for one record in the path of a call."""
    return bool(text) and text not in {".", ".."} and not _NOT_IN_AN_ID.search(text)


def size(value: Any) -> float:
    """Return how many characters a value takes as JSON; what is nested deeper than 100 levels is endless."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return math.inf

    # Few brackets cannot be nested deeply, and most values have few.
    may_be_deep = text.count("[") + text.count("{") > MOST_LEVELS
    if may_be_deep and _is_deep(value):
        return math.inf
    return len(text)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        containers = [inner for inner in level if isinstance(inner, dict | list)]
        if not containers:
            return False
        level = [
            inner
            for container in containers
            for inner in (container.values() if isinstance(container, dict) else container)
        ]
    return any(isinstance(inner, dict | list) for inner in level)
