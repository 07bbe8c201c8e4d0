"""Mixpeek's records as frozen values with our own names, in either dialect of the API.

Dates are aware and in UTC. Dictionaries are the server's own JSON objects: read them, never change
them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")
Json = dict[str, Any]
Spelling = Literal["retriever_name", "name"]


# A reply that was overtaken by another is a few versions behind, never so many.
_MAX_VERSIONS_BEHIND = 1_000


def is_overtaken(version: int, known: int) -> bool:
    """Return whether a record of `version` is older than the `known` version of the mirror.

    A version far below it is not: then the known one was never true, and waiting for a higher one
    would leave the record as it is for ever.
    """
    return known - _MAX_VERSIONS_BEHIND <= version < known


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A record that could not be read: its id, if it has one, and the reason."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


@dataclass(frozen=True, kw_only=True)
class RecordPage(Generic[T]):
    """One page of a list.

    `next` is the cursor or offset of the next page, None when this page says it is the last.
    `left_out` are the rows of the page that could not be read.
    """

    items: tuple[T, ...]
    total: int | None = None
    next: str | int | None = None
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def rows(self) -> int:
        """The number of rows on the page, unreadable ones included."""
        return len(self.items) + len(self.left_out)

    def has_more(self, *, offset: int, limit: int) -> bool:
        """Return whether there may be rows from `offset` on, which is where this page ends.

        `limit` is the number of rows that was asked for.
        """
        if self.next is not None or self.rows >= limit:
            return True
        return self.total is not None and offset < self.total


@dataclass(frozen=True, kw_only=True)
class RevisionRecord:
    """One edit of an annotation.

    `prior` holds the values that version `version` had in the fields the edit changed.
    """

    version: int
    prior: Json
    edited_at: datetime | None = None
    edited_by: str = ""
    edited_by_type: str = ""


@dataclass(frozen=True, kw_only=True)
class AnnotationRecord:
    """A label on a document.

    `metadata` and `version` are None when the server does not support them.
    """

    annotation_id: str
    document_id: str
    namespace_id: str
    label: str
    confidence: float | None = None
    reasoning: str | None = None
    payload: Json = field(default_factory=dict)
    metadata: Json | None = None
    collection_id: str | None = None
    retriever_id: str | None = None
    execution_id: str | None = None
    stage_name: str | None = None
    actor_id: str = "system"
    actor_type: str = "system"
    created_at: datetime | None = None
    updated_at: datetime | None = None
    version: int | None = None
    revisions: tuple[RevisionRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BulkResult:
    """The result of one item of a bulk write; `error` is the reason of a failure."""

    annotation_id: str
    success: bool
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class RetrieverRecord:
    """A saved pipeline.

    `spelling` is the key under which this server keeps the name. `absent` names the fields among
    name, description and tags that the answer left out (their values here are then empty, and prove
    nothing). `body` is the object as the server sent it; a PATCH reply holds fewer fields than a
    read, so it is not `complete`.
    """

    retriever_id: str
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    stages: tuple[Json, ...] = ()
    input_schema: Json = field(default_factory=dict)
    collection_ids: tuple[str, ...] = ()
    budget_limits: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None
    created_by: str = ""
    updated_by: str = ""
    spelling: Spelling = "retriever_name"
    absent: frozenset[str] = frozenset()
    body: Json = field(default_factory=dict, compare=False, repr=False)
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class ExecutionRecord:
    """One run of a retriever with the page of documents it returned, best first.

    A stored run usually keeps no rows: then `documents_retained` is False and `total_returned`
    counts them. Mixpeek promises neither `inputs` nor `query_summary` of a stored run; they are
    empty where it does not send them. `body` is the answer as the server sent it, without its
    documents.
    """

    execution_id: str
    retriever_id: str
    status: str
    inputs: Json = field(default_factory=dict)
    query_summary: str = ""
    documents: tuple[Json, ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = ()
    degraded: tuple[Json, ...] = ()
    next_cursor: str | None = None
    has_next: bool = False
    total: int | None = None
    total_returned: int | None = None
    documents_retained: bool = True
    budget: Json = field(default_factory=dict)
    stage_statistics: Json = field(default_factory=dict)
    created_at: datetime | None = None
    completed_at: datetime | None = None
    body: Json = field(default_factory=dict, compare=False, repr=False)

    @property
    def failed(self) -> bool:
        """Whether this run failed, although the call itself succeeded."""
        if self.status in {"failed", "error", "cancelled"}:
            return True
        return bool(self.error) and not self.documents

    @property
    def running(self) -> bool:
        """Whether Mixpeek has not finished this run yet."""
        return self.status in {"pending", "processing", "running", "queued"}


@dataclass(frozen=True, kw_only=True)
class ExecutionSummary:
    """One row of a retriever's list of runs; durations in milliseconds.

    `body` is the row as the server sent it.
    """

    execution_id: str
    retriever_id: str
    status: str
    created_at: datetime | None = None
    completed_at: datetime | None = None
    duration_ms: float | None = None
    credits_used: float | None = None
    total_processed: int | None = None
    total_returned: int | None = None
    query_summary: str = ""
    body: Json = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class BlobRecord:
    """A file of a document.

    `presigned_url` works for about an hour and is a secret: never store it.
    """

    field: str
    url: str
    role: str = "source"
    type: str = "other"
    filename: str = ""
    content_type: str = ""
    size_bytes: int | None = None
    presigned_url: str = ""
    unavailable_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class DocumentRecord:
    """A document: `body` is the whole object as sent, `blobs` its files without duplicates."""

    document_id: str
    collection_id: str | None
    body: Json
    blobs: tuple[BlobRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DocumentBatch:
    """The documents of a batch.

    `found` is in the order of the requested ids; `not_found` are the ids without a document;
    `left_out` are the documents that could not be read.
    """

    found: tuple[DocumentRecord, ...] = ()
    not_found: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeedEvent:
    """One event of the change feed. Mixpeek does not document what `payload` holds."""

    seq: int
    cursor: str
    event_type: str
    resource_type: str
    operation: str
    payload: Json = field(default_factory=dict)
    namespace_id: str | None = None
    trace_id: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FeedPage:
    """A page of the feed, oldest first.

    `cursor` is where the next page begins, None while there has never been an event.
    """

    items: tuple[FeedEvent, ...]
    cursor: str | None
    has_more: bool
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WebhookRecord:
    """A registered webhook.

    Secrets in `channels` read `redacted`; `delivery_health` says why it was paused.
    """

    webhook_id: str
    name: str
    event_types: tuple[str, ...] = ()
    channels: tuple[Json, ...] = ()
    is_active: bool = True
    delivery_health: Json = field(default_factory=dict)
