"""Earlier versions of a retriever, rebuilt from its events. Pure.

Events are kept for ever and hold each field's old value, so undoing them one by one, newest first,
gives every earlier state, whether an edit here, one at Mixpeek, or SQL led away from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from reviewapp.json_values import is_same_json
from reviewapp.retrievers.editing.edit import RETRIEVER_FIELDS, TEXTS
from reviewapp.retrievers.editing.tags import tag_delta_between

SHOWN = (*RETRIEVER_FIELDS, "stages", "input_schema", "collection_ids")
_EMPTY: dict[str, Any] = {
    "name": "",
    "description": "",
    "tags": [],
    "stages": [],
    "input_schema": {},
}


class RetrieverEvent(Protocol):
    """The part of an audit event that this module reads."""

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
    """The values from one event to the next; `changed` names the fields that this event set.

    `number` counts from the oldest version, which is 1; 0 until `numbered_versions` has set it.
    """

    event: Any
    values: dict[str, Any]
    changed: tuple[str, ...]
    number: int = 0


def last_editor(versions: Iterable[Version], fields: Collection[str]) -> str:
    """Return who last changed one of the fields; "" if it is not known.

    `versions` are the newest first.
    """
    for version in versions:
        if set(version.changed) & set(fields):
            return str(version.event.actor_name or version.event.get_origin_display())
    return ""


def retriever_versions(
    events: Iterable[RetrieverEvent], current: Mapping[str, Any]
) -> Iterator[Version]:
    """Yield every version, newest first.

    `events` are those of one retriever, newest first, and `current` its values. Events of other
    kinds and those that changed none of the `SHOWN` fields are skipped.
    """
    values = {name: current[name] for name in SHOWN}
    for event in events:
        if not event.action.startswith("retriever.") or not isinstance(event.changes, dict):
            continue

        changes = {}
        for name in SHOWN:
            pair = event.changes.get(name)
            if isinstance(pair, list) and len(pair) == 2:
                changes[name] = pair
        if not changes:
            continue

        yield Version(event=event, values=dict(values), changed=tuple(changes))
        for name, (old, _new) in changes.items():
            values[name] = _EMPTY.get(name, []) if old is None else old


def numbered_versions(newest: Iterable[Version], total: int) -> list[Version]:
    """Return versions, newest first, with their numbers; the newest of all has number `total`."""
    return [replace(version, number=total - index) for index, version in enumerate(newest)]


def back_to(earlier: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the change that restores the earlier values; {} if none differ."""
    fields: dict[str, Any] = {}
    for name in TEXTS:
        if not is_same_json(earlier[name], current[name]):
            fields[name] = earlier[name]

    tag_delta = tag_delta_between(current["tags"], earlier["tags"])
    if tag_delta["add"] or tag_delta["remove"]:
        fields["tags"] = tag_delta
    return fields
