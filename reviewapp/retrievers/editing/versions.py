"""A retriever as it stood: its earlier versions, rebuilt from the events that led away from them. Pure.

Events are kept for ever and say what each field was before, so going back from now through the newest of them gives
every state that ever was, whoever brought it about: an edit here, one at Mixpeek, or SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from reviewapp.json_values import same
from reviewapp.retrievers.editing.edit import FIELDS, TEXTS
from reviewapp.retrievers.editing.tags import between

SHOWN = (*FIELDS, "stages", "input_schema", "collection_ids")
_EMPTY: dict[str, Any] = {"name": "", "description": "", "tags": [], "stages": [], "input_schema": {}}


class Happened(Protocol):
    """An event, as far as this needs one."""

    @property
    def pk(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def action(self) -> str: ...
    @property
    def changes(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Version:
    """The values from one event on, until the next; `changed` are the fields that this event set."""

    event: Any
    values: dict[str, Any]
    changed: tuple[str, ...]


def versions(events: Iterable[Happened], now: Mapping[str, Any]) -> Iterator[Version]:
    """Yield every version, newest first, from the events of one retriever (newest first) and its values now.

    Events of other kinds and those that changed nothing shown are passed over.
    """
    values = {name: now[name] for name in SHOWN}
    for event in events:
        changes = _pairs(event)
        if not changes:
            continue
        yield Version(event=event, values=dict(values), changed=tuple(changes))
        values |= {name: _EMPTY.get(name, []) if old is None else old for name, (old, _) in changes.items()}


def back_to(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the change that restores name, description and tags as they stood; {} when they are so."""
    fields: dict[str, Any] = {name: then[name] for name in TEXTS if not same(then[name], now[name])}
    moved = between(now["tags"], then["tags"])
    return fields | ({"tags": moved} if moved["add"] or moved["remove"] else {})


def _pairs(event: Happened) -> dict[str, list[Any]]:
    if not event.action.startswith("retriever.") or not isinstance(event.changes, dict):
        return {}
    found = {name: event.changes[name] for name in SHOWN if name in event.changes}
    return {name: pair for name, pair in found.items() if isinstance(pair, list) and len(pair) == 2}
