"""Rebuild earlier versions of an annotation from upstream's backward revisions. Pure.

An undelivered change counts as the version that it will become: upstream's version plus one for
each change. Mixpeek will number them so, unless somebody edits the annotation there in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reviewapp.annotations.fields import BLANK_VALUES
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class UpstreamEdit:
    """One edit, backwards: `prior` holds what version `version` had in the changed fields."""

    version: int
    prior: Values
    at: datetime | None
    by: str
    by_type: str


@dataclass(frozen=True, kw_only=True)
class State:
    """One version of an annotation, with the edits that led to it, oldest first."""

    version: int
    values: Values
    edits: tuple[UpstreamEdit, ...]
    created_at: datetime | None
    updated_at: datetime | None


def latest(row: Annotation, queued: Sequence[Change]) -> State:
    """Return the current version; `queued` are the undelivered changes, oldest first."""
    edits = []
    for revision in row.revisions:
        edited_at = revision.get("edited_at")
        edit = UpstreamEdit(
            version=revision["version"],
            prior=revision["prior"],
            at=datetime.fromisoformat(edited_at) if edited_at else None,
            by=revision["edited_by"],
            by_type=revision["edited_by_type"],
        )
        edits.append(edit)

    values = dict(row.upstream)
    created_at = row.created_at
    version = row.version or 0
    if not version and row.annotation_id is not None:
        version = 1

    for change in queued:
        fields = change.fields if change.sets_values else {}
        if version:
            edit = UpstreamEdit(
                version=version,
                prior={name: values.get(name) for name in fields},
                at=change.created_at,
                by=change.actor_name,
                by_type="user",
            )
            edits.append(edit)
        created_at = created_at or change.created_at
        version += 1
        values |= fields

    updated_at = row.updated_at
    if queued and edits:
        updated_at = edits[-1].at

    return State(
        version=max(version, 1),
        values=row.values() | {"metadata": row.metadata},
        edits=tuple(edits),
        created_at=created_at,
        updated_at=updated_at or row.updated_at or created_at,
    )


def at_version(state: State, version: int) -> State | None:
    """Return an earlier version; None if not all edits since then are known."""
    if version == state.version:
        return state

    undone = [edit for edit in state.edits if edit.version >= version]
    # Upstream's numbers may be huge: compare the length, and never build a list of the range.
    if len(undone) != state.version - version:
        return None
    for expected, edit in enumerate(undone, start=version):
        if edit.version != expected:
            return None
    return _undo(state, undone)


def as_of(state: State, instant: datetime) -> State | None:
    """Return the version at `instant`; None if the annotation did not exist yet."""
    if state.created_at and state.created_at > instant:
        return None

    undone = [edit for edit in state.edits if edit.at and edit.at > instant]
    if not undone:
        return state
    return _undo(state, undone)


def _undo(state: State, undone: Sequence[UpstreamEdit]) -> State:
    """Return the version before the edits in `undone`, oldest first."""
    version = undone[0].version
    remaining = tuple(edit for edit in state.edits if edit.version < version)

    values = dict(state.values)
    for edit in reversed(undone):
        for name, value in edit.prior.items():
            values[name] = BLANK_VALUES.get(name) if value is None else value

    updated_at = remaining[-1].at if remaining else state.created_at
    return State(
        version=version,
        values=values,
        edits=remaining,
        created_at=state.created_at,
        updated_at=updated_at,
    )
