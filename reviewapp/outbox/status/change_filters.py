"""The filters of the deliveries page: the delivery state of a change, finer than `Change.State`."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy


class ChangeFilter(TextChoices):
    """The filters of the deliveries page; a queued change may be held, waiting or being sent."""

    OPEN = "open", gettext_lazy("Not delivered")
    HELD = "held", gettext_lazy("Held")
    WAITING = "waiting", gettext_lazy("Waiting")
    AGAIN = "again", gettext_lazy("Waiting to try again")
    SENDING = "sending", gettext_lazy("Sending")
    CONFLICT = "conflict", gettext_lazy("Conflict")
    REFUSED = "refused", gettext_lazy("Refused")
    DELIVERED = "delivered", gettext_lazy("Delivered")
    WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn")


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
