"""What the next item will show, looked at while somebody still judges the one before.

Only pictures are fetched ahead: they take longest, and do not change. The item itself is given, held and rendered when
it is asked for, so nobody holds two, and nothing that is decided on is older than its page.
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

_MOST = 3


def pictures(chosen: QueueFilter, person: User, after: Annotation, *, now: datetime) -> list[tuple[str, int]]:
    """Return document and file of each picture that the item behind `after` will most likely show; claims nothing.

    Somebody else may take that item meanwhile. Of a search nothing is looked at: finding is what takes its time.
    """
    if chosen.q:
        return []
    behind = candidates(chosen, person, after, now=now).select_related("result")
    found = behind.only("document_id", "result__snapshot").first()
    if found is None or found.result is None:
        return []
    shown = [medium.still for medium in media(found.result.snapshot) if medium.still is not None]
    return [(found.document_id, index) for index in shown[:_MOST]]
