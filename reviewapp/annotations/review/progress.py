"""How far a person is in the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from reviewapp.annotations.queue.counts import done_and_left
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.querysets import MAX_QUEUE_COUNT

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class ReviewProgress:
    """How many items a person decided in the last 24 hours, and how many the filter has left.

    Both counts stop at `cap`. `waiting`: the filter shows waiting items; `part` is the name of the
    queue's part that it shows.
    """

    done: int
    left: int
    cap: int
    waiting: bool
    part: str

    def sentence(self) -> str:
        """Return what is left, as the message after a decision says it."""
        if not self.left:
            return _("Nothing is left here.")
        number = f"{self.left:,}"
        if self.left >= self.cap:
            number = f"{number}+"
        if self.waiting:
            return _("%(number)s left.") % {"number": number}
        return _("%(number)s in “%(part)s”.") % {"number": number, "part": self.part}


def get_progress(queue_filter: QueueFilter, person: User, *, now: datetime) -> ReviewProgress:
    """Return how far `person` is; each count reads at most `MAX_QUEUE_COUNT` rows of its index."""
    since = now - timedelta(days=1)
    done, left = done_and_left(queue_filter, person, since=since)
    return ReviewProgress(
        done=done,
        left=left,
        cap=MAX_QUEUE_COUNT,
        waiting=queue_filter.show == Show.WAITING,
        part=str(queue_filter.show.label),
    )
