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


@dataclass(frozen=True, kw_only=True)
class EventTotals:
    """The totals by person and action. `is_cut`: there are more, older events, left out."""

    totals: list[EventTotal]
    is_cut: bool

    @property
    def count(self) -> int:
        """How many events are counted."""
        return sum(total.count for total in self.totals)


def action_title(action: Action) -> str:
    """Return an action as a filter names it: the thing, and what was done to it."""
    thing, verb = action.value.split(".")
    return f"{thing}: {verb}"


def count_events(events: EventQuerySet, *, most: int = MAX_COUNTED) -> EventTotals:
    """Count the newest `most` of these events by person and action. One query, or two."""
    newest_first = events.values("pk")
    counted = Event.objects.filter(pk__in=newest_first[:most]).order_by()
    rows = counted.values_list("actor_id", "actor_name", "action").annotate(Count("pk"))

    totals = []
    for actor_id, actor_name, action, count in rows:
        total = EventTotal(actor_id=actor_id, actor_name=actor_name, action=action, count=count)
        totals.append(total)
    totals.sort(key=lambda total: (total.actor_name.casefold(), -total.count))

    number = sum(total.count for total in totals)
    is_cut = number == most and newest_first[most : most + 1].exists()
    return EventTotals(totals=totals, is_cut=is_cut)
