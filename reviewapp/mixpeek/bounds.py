"""How much of what Mixpeek sends is taken in: whatever is larger is no record of Mixpeek's, and is left out.

Each is far beyond what Mixpeek's own schema promises, and small enough for our database and our pages.
"""

from __future__ import annotations

import json
import math
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

# Of one annotation or run, the newest; all revisions together may take `MOST_BODY`.
MOST_REVISIONS = 200
MOST_REMARKS = 100

# Of one retriever or document.
MOST_TEXTS = 1_000
MOST_BLOBS = 1_000


def size(value: Any) -> float:
    """Return how many characters a value takes as JSON; what is nested too deeply for that is endless."""
    try:
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except RecursionError:
        return math.inf
