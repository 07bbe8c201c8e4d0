"""What people write in their own languages, some of them right-to-left (multilingual.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_VOICES: dict[str, Any] = json.loads(
    Path(__file__).with_suffix(".json").read_text(encoding="utf-8"),
)
MESSAGES: tuple[tuple[str, str], ...] = tuple(
    (language, text) for language, text in _VOICES["messages"]
)
CAPTIONS: dict[str, str] = _VOICES["captions"]
