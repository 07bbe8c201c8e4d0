"""How far changes can be, as people ask: finer than the state, since a queued one may be held or on its way."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, TextChoices


class Kind(TextChoices):
    """What the deliveries page can be narrowed to."""

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


def condition(kind: str, now: datetime) -> Q:
    """Return what is true of the changes of a kind."""
    of_state = {
        Kind.OPEN: Q(state__in=["queued", "conflict", "refused"]),
        Kind.HELD: _UNCLAIMED & Q(attempts=0, due__gt=now),
        Kind.WAITING: _UNCLAIMED & Q(attempts=0, due__lte=now),
        Kind.AGAIN: _UNCLAIMED & Q(attempts__gt=0),
        Kind.SENDING: Q(state="queued", claimed_at__isnull=False),
    }
    return of_state[Kind(kind)] if kind in of_state else Q(state=kind)
