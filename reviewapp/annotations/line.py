"""One line of the queue's list, as plain values: lines that say the same are rendered once (`markup.line`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation

YOU = "you"


@dataclass(frozen=True, kw_only=True)
class Line:
    """Everything that a line shows, and nothing that it does not; `here` is the address of the list.

    `was` is the machine's label where a person gave another one, `open_by` who has the item open, "" nobody.
    """

    pk: int
    here: str
    title: str
    excerpt: str
    document_id: str
    retriever: str
    score: float | None
    was: str
    label: str
    confidence: float | None
    status: str
    delivery: str
    open_by: str
    reviewer: str
    decided_at: datetime | None
    created_at: datetime | None


def line(annotation: Annotation, person: User, *, here: str, now: datetime) -> Line:
    """Return the line of an annotation that was loaded with `for_list()`, as `person` sees it."""
    loaded: Any = annotation
    decided_otherwise = annotation.decided_at and loaded.machine_label != annotation.label
    return Line(
        pk=annotation.pk,
        here=here,
        title=annotation.title or annotation.document_id,
        excerpt=annotation.excerpt,
        document_id=annotation.document_id,
        retriever=annotation.retriever.name if annotation.retriever else "",
        score=annotation.score,
        was=(loaded.machine_label or "") if decided_otherwise else "",
        label=annotation.label,
        confidence=annotation.confidence,
        status=annotation.status,
        delivery=loaded.delivery or "",
        open_by=_open_by(annotation, person, now),
        reviewer=annotation.reviewer.username if annotation.reviewer else "",
        decided_at=annotation.decided_at,
        created_at=annotation.created_at,
    )


def _open_by(annotation: Annotation, person: User, now: datetime) -> str:
    lease = getattr(annotation, "lease", None)
    if lease is None or lease.until <= now:
        return ""
    return YOU if lease.holder_id == person.pk else str(lease.holder.username)
