"""What only Mixpeek knows, asked for while the caller waits."""

from __future__ import annotations

from typing import Any

from reviewapp.annotations.said import values_of
from reviewapp.annotations.versions import State
from reviewapp.api.errors import not_found
from reviewapp.api.showing import Shown
from reviewapp.sync.client import client


def annotation_at_version(now: Shown, version: int) -> dict[str, Any]:
    """Return a version whose edits we never mirrored, as Mixpeek has it; raises a 404 and `MixpeekError`."""
    if now.row.annotation_id is None:
        raise not_found("version", f"{now.annotation_id} v{version}")
    record = client().annotation_at_version(now.row.annotation_id, version)
    known = tuple(edit for edit in now.state.edits if edit.version < version)
    state = State(
        version=record.version or version,
        values=values_of(record),
        edits=known,
        created_at=record.created_at or now.state.created_at,
        updated_at=record.updated_at,
    )
    return Shown(row=now.row, state=state).json()
