"""Whose hand made each of an annotation's versions upstream: told from its revisions and our deliveries. Pure.

Mixpeek sees one key instead of our people. A version that our outbox delivered, with the values it delivered, is the
decision of the person who made the change; the same key without a change of ours is somebody else who holds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from reviewapp.annotations.mirror.from_upstream import BLANK
from reviewapp.annotations.models import Annotation
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.json_values import same
from reviewapp.outbox.models import Change

_MACHINE = "system"


class Whose(Enum):
    """The kinds of hands there are; the value is how they are called where no name is known."""

    OURS = "one of us"
    OUR_KEY = "another holder of our key"
    ELSEWHERE = "another key"
    MACHINE = "the machine"


@dataclass(frozen=True, kw_only=True)
class Made:
    """One version upstream: what made it different from the one before (`{field: [old, new]}`), when, by whom.

    `name` is our person's, or how Mixpeek calls whoever it was; version 1 is the annotation as it was created.
    """

    version: int
    changes: Mapping[str, Any]
    at: datetime | None
    whose: Whose
    name: str
    kind: str = ""
    decision_id: str = ""

    @property
    def who(self) -> str:
        """Return how to call whoever did it, inside a sentence."""
        if self.whose is Whose.OURS:
            return self.name or Whose.OURS.value
        if self.whose is Whose.ELSEWHERE:
            what = "another user" if self.kind == "user" else Whose.ELSEWHERE.value
            return f"{what} ({self.name})" if self.name else what
        return str(self.whose.value)

    @property
    def diffs(self) -> tuple[FieldDiff, ...]:
        """Return the difference as it is shown."""
        return field_diffs(self.changes)


def made(row: Annotation, delivered: Sequence[Change]) -> list[Made]:
    """Return each version that upstream tells of, newest first; without versions there is nothing to tell.

    `delivered` are the changes delivered to this ref. Who is neither the machine nor one of us counts as another key
    until `with_our_key` knows better.
    """
    if row.version is None or row.annotation_id is None:
        return []
    by_version = {change.version: change for change in delivered if change.version is not None}
    by_cause = {str(change.cause): change for change in delivered if change.cause is not None}
    return [_whose(one, by_version.get(one.version), by_cause.get(one.decision_id)) for one in _versions(row)]


def with_our_key(versions: Iterable[Made], our_actors: Collection[str]) -> list[Made]:
    """Return the versions, those by actors that we deliver as told from those by other keys."""
    return [
        replace(one, whose=Whose.OUR_KEY) if one.whose is Whose.ELSEWHERE and one.name in our_actors else one
        for one in versions
    ]


def actor_of(row: Annotation, delivered: Sequence[Change]) -> Counter[str]:
    """Return as whom Mixpeek recorded our deliveries to this annotation, and how often."""
    actors = {edit["version"] + 1: edit["edited_by"] for edit in row.revisions} | {1: row.actor_id}
    ours = (one.version for one in made(row, delivered) if one.whose is Whose.OURS)
    return Counter(actors[version] for version in ours if actors.get(version))


def _versions(row: Annotation) -> Iterator[Made]:
    """Yield every version with nobody of ours yet, newest first, going back as far as the revisions are whole."""
    values, version = dict(row.upstream), row.version or 0
    for edit in reversed(row.revisions):
        if edit["version"] != version - 1:
            return
        before = values | {name: _ours(name, value) for name, value in edit["prior"].items()}
        yield Made(
            version=version,
            changes={name: [before.get(name), values.get(name)] for name in edit["prior"] if name in BLANK},
            at=datetime.fromisoformat(edit["edited_at"]) if edit["edited_at"] else None,
            whose=_kind(edit["edited_by_type"]),
            name=edit["edited_by"],
            kind=edit["edited_by_type"],
            decision_id=edit.get("decision_id", ""),
        )
        values, version = before, edit["version"]
    if version == 1:
        filled = {name: [None, values[name]] for name in BLANK if values.get(name) not in (None, "", {})}
        kind = row.actor_type
        yield Made(version=1, changes=filled, at=row.created_at, whose=_kind(kind), name=row.actor_id, kind=kind)


def _whose(one: Made, change: Change | None, told: Change | None) -> Made:
    """Return the version with our person's name when it is what `change` delivered, or says that it brings `told`."""
    if told is not None and one.whose is not Whose.MACHINE:
        return replace(one, whose=Whose.OURS, name=told.actor_name)
    if change is None or one.whose is Whose.MACHINE:
        return one
    set_by_it = [name for name, (_, new) in one.changes.items() if name in change.fields]
    if not any(same(one.changes[name][1], change.fields[name]) for name in set_by_it):
        return one
    return replace(one, whose=Whose.OURS, name=change.actor_name)


def _kind(actor_type: str) -> Whose:
    return Whose.MACHINE if actor_type == _MACHINE else Whose.ELSEWHERE


def _ours(name: str, value: Any) -> Any:
    return BLANK[name] if value is None and name in BLANK else value
