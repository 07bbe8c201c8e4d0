"""The filters of the deliveries page: the delivery state of a change, finer than `Change.State`."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, TextChoices


class ChangeFilter(TextChoices):
    """The filters of the deliveries page; a queued change may be held, waiting or being sent."""

    OPEN = "open", "Not delivered"
    HELD = "held", "Held"
    WAITING = "waiting", "Waiting"
    AGAIN = "again", "Waiting to try again"
    SENDING = "sending", "Sending"
    CONFLICT = "conflict", "Conflict"
    REFUSED = "refused", "Refused"
    DELIVERED = "delivered", "Delivered"
    WITHDRAWN = "withdrawn", "Withdrawn"


_UNCLAIMED = Q(state="queued", claimed_at=None)


def filter_condition(kind: str, now: datetime) -> Q:
    """Return the condition for the changes that a filter shows."""
    conditions = {
        ChangeFilter.OPEN: Q(state__in=["queued", "conflict", "refused"]),
        ChangeFilter.HELD: _UNCLAIMED & Q(attempts=0, due__gt=now),
        ChangeFilter.WAITING: _UNCLAIMED & Q(attempts=0, due__lte=now),
        ChangeFilter.AGAIN: _UNCLAIMED & Q(attempts__gt=0),
        ChangeFilter.SENDING: Q(state="queued", claimed_at__isnull=False),
    }
    if kind in conditions:
        return conditions[ChangeFilter(kind)]
    return Q(state=kind)
