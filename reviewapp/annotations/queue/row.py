"""One row of the queue's list: as it is read, and as one person sees it.

Rows that look the same are rendered once (`web.jinja.queue_row`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

YOU = "you"


class ListRow(NamedTuple):
    """A row as `page.sql` reads it: a tuple, since a dataclass takes ten times as long to make.

    The holder is who has or had the item open, until `open_until`. `delivery` is the state of its
    newest change. The last three are what lists are ordered by, besides `id` and `decided_at`.
    """

    id: int
    title: str
    excerpt: str
    document_id: str
    score: float | None
    label: str
    machine_label: str | None
    confidence: float | None
    status: str
    decided_at: datetime | None
    created_at: datetime | None
    retriever: str | None
    reviewer: str | None
    open_until: datetime | None
    holder_id: int | None
    holder: str | None
    delivery: str | None
    sureness: float
    relevance: float
    settled_at: datetime


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    """Everything that a row shows, and nothing else; `here` is the query string of the list.

    `was` is the machine's label if a person gave another one. `open_by` is who has the item open;
    "" for nobody.
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


def build_queue_row(row: ListRow, person: User, *, here: str, now: datetime) -> QueueRow:
    """Build the row of the list as `person` sees it."""
    was = ""
    if row.decided_at and row.machine_label != row.label:
        was = row.machine_label or ""

    open_by = ""
    if row.open_until is not None and row.open_until > now:
        is_own = row.holder_id == person.pk
        open_by = YOU if is_own else row.holder or ""

    return QueueRow(
        pk=row.id,
        here=here,
        title=row.title or row.document_id,
        excerpt=row.excerpt,
        document_id=row.document_id,
        retriever=row.retriever or "",
        score=row.score,
        was=was,
        label=row.label,
        confidence=row.confidence,
        status=row.status,
        delivery=row.delivery or "",
        open_by=open_by,
        reviewer=row.reviewer or "",
        decided_at=row.decided_at,
        created_at=row.created_at,
    )
