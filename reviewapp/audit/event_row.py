"""An event as the `.sql` files of the history select it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event, as `models.Event` describes it; `changes` is JSON as a Python value."""

    id: int
    at: datetime
    actor_id: int | None
    actor_name: str
    action: str
    ref: str
    retriever_id: str
    origin: str
    request_id: str
    changes: Any
    note: str
