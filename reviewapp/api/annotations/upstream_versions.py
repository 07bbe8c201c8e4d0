"""Fetch old versions from Mixpeek while the caller waits, within `sync.interactive_limits`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from reviewapp.annotations.mirror.from_upstream import values_of
from reviewapp.annotations.mirror.versions import State
from reviewapp.api.annotations.render import RenderedAnnotation
from reviewapp.api.errors import not_found
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound
from reviewapp.mixpeek.records import ExecutionRecord
from reviewapp.sync import interactive_limits
from reviewapp.sync.client import client

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# Seconds for which a record that Mixpeek does not have is not requested again.
_MISSING_SECONDS = 120
_missing: BoundedCache[bool] = BoundedCache(most_bytes=MIB)


@contextmanager
def upstream_client(person: User) -> Iterator[Client]:
    """Provide the client for reads that `person` waits for; raises `TooBusy` and `ShareSpent`."""
    with interactive_limits.CALLS.entered(), interactive_limits.interactive_requests(person):
        yield client(impatient=True)


def fetch_annotation_version(
    current: RenderedAnnotation,
    version: int,
    *,
    person: User,
) -> dict[str, Any]:
    """Return a version that we never mirrored from Mixpeek; raises a 404 and `MixpeekError`."""
    annotation_id = current.row.annotation_id
    key = (settings.MIXPEEK_BASE_URL, settings.MIXPEEK_NAMESPACE, annotation_id, version)
    if annotation_id is None or _missing.get(key):
        raise not_found("version", f"{current.annotation_id} v{version}")

    try:
        with upstream_client(person) as mixpeek:
            record = mixpeek.annotation_at_version(annotation_id, version)
    except NotFound:
        _missing.set(key, True, seconds=_MISSING_SECONDS)
        raise

    earlier_edits = [edit for edit in current.state.edits if edit.version < version]
    state = State(
        version=record.version or version,
        values=values_of(record),
        edits=tuple(earlier_edits),
        created_at=record.created_at or current.state.created_at,
        updated_at=record.updated_at,
    )
    return RenderedAnnotation(row=current.row, state=state).json()


def fetch_execution(
    retriever_id: str,
    execution_id: str,
    *,
    person: User,
) -> ExecutionRecord | None:
    """Return an execution from Mixpeek, None if it has expired there; raises `MixpeekError`."""
    key = (settings.MIXPEEK_BASE_URL, settings.MIXPEEK_NAMESPACE, retriever_id, execution_id)
    if _missing.get(key):
        return None

    try:
        with upstream_client(person) as mixpeek:
            return mixpeek.get_execution(retriever_id, execution_id)
    except NotFound:
        _missing.set(key, True, seconds=_MISSING_SECONDS)
        return None


def fetch_documents(
    document_ids: Sequence[str],
    *,
    person: User | None,
) -> dict[str, dict[str, Any]]:
    """Return documents with fresh links, by id; raises `MixpeekError`.

    Documents that were deleted are left out. Without a person this is part of an execution, which
    has been admitted by the rate limit already.
    """
    if person is None:
        with interactive_limits.interactive_requests(None):
            batch = client(impatient=True).batch_get_documents(document_ids)
    else:
        with upstream_client(person) as mixpeek:
            batch = mixpeek.batch_get_documents(document_ids)

    return {document.document_id: document.body for document in batch.found}
