"""What only Mixpeek knows, asked for while the caller waits, within the limits of `sync.limits`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from reviewapp.annotations.mirror.from_upstream import values_of
from reviewapp.annotations.mirror.versions import State
from reviewapp.api.annotations.render import Shown
from reviewapp.api.errors import not_found
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound
from reviewapp.mixpeek.records import ExecutionRecord
from reviewapp.sync import interactive_limits
from reviewapp.sync.client import client

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# What Mixpeek said it does not have is not asked for again for so many seconds.
_MISSING_FOR = 120
_missing: BoundedCache[bool] = BoundedCache(most_bytes=MIB)


@contextmanager
def reading(person: User) -> Iterator[Client]:
    """Give the client for reads that `person` waits for; raises `TooBusy` and `ShareSpent`."""
    with interactive_limits.CALLS.entered(), interactive_limits.asking(person):
        yield client(impatient=True)


def annotation_at_version(now: Shown, version: int, *, person: User) -> dict[str, Any]:
    """Return a version whose edits we never mirrored, as Mixpeek has it; raises a 404 and `MixpeekError`."""
    annotation_id = now.row.annotation_id
    key = (settings.MIXPEEK_BASE_URL, settings.MIXPEEK_NAMESPACE, annotation_id, version)
    if annotation_id is None or _missing.get(key):
        raise not_found("version", f"{now.annotation_id} v{version}")

    try:
        with reading(person) as mixpeek:
            record = mixpeek.annotation_at_version(annotation_id, version)
    except NotFound:
        _missing.set(key, True, seconds=_MISSING_FOR)
        raise

    known = tuple(edit for edit in now.state.edits if edit.version < version)
    state = State(
        version=record.version or version,
        values=values_of(record),
        edits=known,
        created_at=record.created_at or now.state.created_at,
        updated_at=record.updated_at,
    )
    return Shown(row=now.row, state=state).json()


def execution(retriever_id: str, execution_id: str, *, person: User) -> ExecutionRecord | None:
    """Return a run as Mixpeek tells it, None when it has forgotten it; raises `MixpeekError`."""
    key = (settings.MIXPEEK_BASE_URL, settings.MIXPEEK_NAMESPACE, retriever_id, execution_id)
    if _missing.get(key):
        return None

    try:
        with reading(person) as mixpeek:
            return mixpeek.get_execution(retriever_id, execution_id)
    except NotFound:
        _missing.set(key, True, seconds=_MISSING_FOR)
        return None


def documents(document_ids: Sequence[str], *, person: User | None) -> dict[str, dict[str, Any]]:
    """Return documents with links that work now, by id, without those that are gone; raises `MixpeekError`.

    Without a person it is part of a run, which has its place among those who wait already.
    """
    if person is None:
        with interactive_limits.asking(None):
            batch = client(impatient=True).batch_get_documents(document_ids)
    else:
        with reading(person) as mixpeek:
            batch = mixpeek.batch_get_documents(document_ids)

    return {found.document_id: found.body for found in batch.found}
