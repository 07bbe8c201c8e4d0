"""A thin client for Mixpeek's HTTP API: `Client`, its return values and its errors."""

from __future__ import annotations

from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import (
    Garbled,
    MixpeekError,
    NamespaceUnresolved,
    NotApplied,
    NotFound,
    Refused,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from reviewapp.mixpeek.records import (
    AnnotationRecord,
    BlobRecord,
    BulkResult,
    DocumentBatch,
    DocumentRecord,
    ExecutionRecord,
    ExecutionSummary,
    FeedEvent,
    FeedPage,
    LeftOut,
    RecordPage,
    RetrieverRecord,
    RevisionRecord,
    WebhookRecord,
)

__all__ = [
    "AnnotationRecord",
    "BlobRecord",
    "BulkResult",
    "Client",
    "DocumentBatch",
    "DocumentRecord",
    "ExecutionRecord",
    "ExecutionSummary",
    "FeedEvent",
    "FeedPage",
    "Garbled",
    "LeftOut",
    "MixpeekError",
    "NamespaceUnresolved",
    "NotApplied",
    "NotFound",
    "RecordPage",
    "Refused",
    "RetrieverRecord",
    "RevisionRecord",
    "Unauthorized",
    "Unavailable",
    "Unreadable",
    "WebhookRecord",
]
