"""One line of the queue's list, as plain values: lines that say the same are rendered once (`template_tags.line`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

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


def line(row: Any, person: User, *, here: str, now: datetime) -> Line:
    """Return the line of a row of `for_list()`, as `person` sees it."""
    decided_otherwise = row.decided_at and row.machine_label != row.label
    return Line(
        pk=row.id,
        here=here,
        title=row.title or row.document_id,
        excerpt=row.excerpt,
        document_id=row.document_id,
        retriever=row.retriever__name or "",
        score=row.score,
        was=(row.machine_label or "") if decided_otherwise else "",
        label=row.label,
        confidence=row.confidence,
        status=row.status,
        delivery=row.delivery or "",
        open_by=_open_by(row, person, now),
        reviewer=row.reviewer__username or "",
        decided_at=row.decided_at,
        created_at=row.created_at,
    )


def _open_by(row: Any, person: User, now: datetime) -> str:
    if row.lease__until is None or row.lease__until <= now:
        return ""
    return YOU if row.lease__holder_id == person.pk else str(row.lease__holder__username)
