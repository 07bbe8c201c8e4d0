"""Changes settled one at a time, as a test tells its story; the app settles many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reviewapp.outbox import settling
from reviewapp.outbox.models import Change
from reviewapp.outbox.settling import Settlement


def deliver(change: Change, **facts: Any) -> bool:
    return _settle(change, Change.State.DELIVERED, **facts)


def conflict(change: Change, *, theirs: Mapping[str, Any], reason: str, **facts: Any) -> bool:
    return _settle(change, Change.State.CONFLICT, theirs=theirs, reason=reason, **facts)


def refuse(change: Change, *, reason: str, **facts: Any) -> bool:
    return _settle(change, Change.State.REFUSED, reason=reason, **facts)


def _settle(change: Change, state: str, **facts: Any) -> bool:
    return bool(settling.settle([Settlement(change=change, state=Change.State(state), **facts)]))
