"""Find the pictures of the next item, so that the page can prefetch them.

Only pictures are prefetched: they take longest, and do not change. The item itself is leased and
rendered when it is opened, so nobody holds two, and nobody decides on outdated values.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.querysets import candidates
from reviewapp.retrievers.documents.media import media

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_MAX_PICTURES = 3


def next_pictures(
    queue_filter: QueueFilter, person: User, after: Annotation, *, now: datetime
) -> list[tuple[str, int]]:
    """Return the document id and file index of each picture of the item behind `after`.

    Leases nothing, so somebody else may take that item meanwhile. Empty for a search: the search
    itself is the slow part.
    """
    if queue_filter.q:
        return []

    annotations = candidates(queue_filter, person, after, now=now).select_related("result")
    annotation = annotations.only("document_id", "result__snapshot").first()
    if annotation is None or annotation.result is None:
        return []

    pictures = []
    for medium in media(annotation.result.snapshot):
        if medium.still is not None:
            pictures.append((annotation.document_id, medium.still))
    return pictures[:_MAX_PICTURES]
