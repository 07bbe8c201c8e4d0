"""Named questions to the history, each with an index that `Event.Meta` names."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from reviewapp.audit.models import Event


class EventQuerySet(models.QuerySet["Event"]):
    """Events, newest first unless said otherwise."""

    def about(self, *refs: str) -> Self:
        """Return the timeline of these refs, newest first."""
        return self.filter(ref__in=refs).order_by("-id")

    def doing(self, actions: Collection[str]) -> Self:
        """Return the events with one of these actions."""
        return self.filter(action__in=actions)
