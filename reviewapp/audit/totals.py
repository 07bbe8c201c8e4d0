"""How many events of each person and action match a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count

from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event

if TYPE_CHECKING:
    from reviewapp.audit.querysets import EventQuerySet

# More events are not counted: the page says so.
MAX_COUNTED = 100_000


@dataclass(frozen=True, kw_only=True)
class EventTotal:
    """How many events of one action one person caused; without an `actor_id`, a program."""

    actor_id: int | None
    actor_name: str
    action: str
    count: int

    @property
    def title(self) -> str:
        """The action in words."""
        if self.action in Action:
            return action_title(Action(self.action))
        return self.action


def action_title(action: Action) -> str:
    """Return an action as a filter names it: the thing, and what was done to it."""
    thing, verb = action.value.split(".")
    return f"{thing}: {verb}"


def count_events(events: EventQuerySet) -> list[EventTotal]:
    """Count the newest `MAX_COUNTED` of these events by person and action. One query."""
    newest = events[:MAX_COUNTED].values("pk")
    counted = Event.objects.filter(pk__in=newest).order_by()
    rows = counted.values_list("actor_id", "actor_name", "action").annotate(Count("pk"))

    totals = []
    for actor_id, actor_name, action, count in rows:
        total = EventTotal(actor_id=actor_id, actor_name=actor_name, action=action, count=count)
        totals.append(total)
    return sorted(totals, key=lambda total: (total.actor_name.casefold(), -total.count))
