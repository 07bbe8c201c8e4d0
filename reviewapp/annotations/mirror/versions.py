"""An annotation as it was: rebuilt from upstream's backward revisions, with our own undelivered edits on top. Pure.

What waits for delivery counts as the versions it is about to become: upstream's number and one more for each. That is
what Mixpeek will say unless somebody edits there in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One edit, backwards: `prior` holds what version `version` had in the fields it changed; by whom, when."""

    version: int
    prior: Values
    at: datetime | None
    by: str
    by_type: str


@dataclass(frozen=True, kw_only=True)
class State:
    """One version of an annotation: its values, the edits that led to it (oldest first) and when the last one was."""

    version: int
    values: Values
    edits: tuple[Edit, ...]
    created_at: datetime | None
    updated_at: datetime | None


def latest(row: Annotation, queued: Sequence[Change]) -> State:
    """Return the annotation as it stands; `queued` are its undelivered changes, oldest first."""
    edits = [_mirrored(said) for said in row.revisions]
    version = row.version or (0 if row.annotation_id is None else 1)
    values, created_at = dict(row.upstream), row.created_at
    for change in queued:
        if version:
            prior = {name: values.get(name) for name in change.fields}
            edits.append(Edit(version=version, prior=prior, at=change.created_at, by=change.actor_name, by_type="user"))
        created_at = created_at or change.created_at
        version += 1
        values |= change.fields
    shown = row.values() | {"metadata": row.metadata}
    last = edits[-1].at if queued and edits else row.updated_at
    return State(
        version=max(version, 1),
        values=shown,
        edits=tuple(edits),
        created_at=created_at,
        updated_at=last or row.updated_at or created_at,
    )


def at_version(state: State, version: int) -> State | None:
    """Return an earlier version, or None when the edits from there to here are not all known."""
    undone = [edit for edit in state.edits if edit.version >= version]
    if version == state.version:
        return state
    # Mixpeek may number its versions as it likes: a range is compared, and never made.
    is_whole = len(undone) == state.version - version
    if not is_whole or any(edit.version != at for at, edit in enumerate(undone, start=version)):
        return None
    return _undo(state, undone)


def as_of(state: State, instant: datetime) -> State | None:
    """Return the annotation as it stood at `instant`; None when it did not exist yet."""
    if state.created_at and state.created_at > instant:
        return None
    undone = [edit for edit in state.edits if edit.at and edit.at > instant]
    return _undo(state, undone) if undone else state


def _undo(state: State, undone: Sequence[Edit]) -> State:
    first = undone[0].version
    values, kept = dict(state.values), tuple(edit for edit in state.edits if edit.version < first)
    for edit in reversed(undone):
        values |= _ours(edit.prior)
    last = kept[-1].at if kept else state.created_at
    return State(version=first, values=values, edits=kept, created_at=state.created_at, updated_at=last)


def _ours(prior: Values) -> Values:
    """Return upstream's values in our own form: absent reasoning is "", absent payload is {}."""
    blank: Values = {"reasoning": "", "payload": {}}
    return {name: blank.get(name) if value is None else value for name, value in prior.items()}


def _mirrored(said: dict[str, Any]) -> Edit:
    at = said.get("edited_at")
    return Edit(
        version=said["version"],
        prior=said["prior"],
        at=datetime.fromisoformat(at) if at else None,
        by=said["edited_by"],
        by_type=said["edited_by_type"],
    )
