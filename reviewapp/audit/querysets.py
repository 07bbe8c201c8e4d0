"""Named questions to the history, each with an index that `Event.Meta` names."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.search import SearchQuery
from django.db import models

if TYPE_CHECKING:
    from reviewapp.audit.models import Event

NEWEST_FIRST = ("-at", "-id")


class EventQuerySet(models.QuerySet["Event"]):
    """Events, in no order unless said otherwise."""

    def newest(self) -> Self:
        """Return them newest first, without the words that only the search reads."""
        return self.defer("words").order_by(*NEWEST_FIRST)

    def about(self, *refs: str) -> Self:
        """Return the timeline of these refs, newest first."""
        return self.filter(ref__in=refs).newest()

    def by(self, person_id: int | None) -> Self:
        """Return what one person did; None is everything that no person of ours did."""
        return self.filter(actor_id=person_id)

    def doing(self, *actions: str) -> Self:
        """Return the events with one of these actions."""
        return self.filter(action__in=actions)

    def around(self, retriever_id: str) -> Self:
        """Return what happened to a retriever, and to everything found with it."""
        return self.filter(retriever_id=retriever_id)

    def between(self, since: datetime | None, until: datetime | None) -> Self:
        """Return what happened from `since` on and before `until`; None leaves that end open."""
        span = {"at__gte": since, "at__lt": until}
        return self.filter(**{bound: instant for bound, instant in span.items() if instant is not None})

    def relabelled(self, old: str, new: str) -> Self:
        """Return the events that took a label away (`old`), gave one (`new`), or both; "" is any."""
        ends = {"label_from": old, "label_to": new}
        return self.filter(**{end: label for end, label in ends.items() if label})

    def mentioning(self, words: str, *refs: str) -> Self:
        """Return the events whose note, ref, person or changed values hold these words ("a phrase", -not, or).

        Those about any of `refs` are among them, whatever they hold.
        """
        holding = models.Q(words=SearchQuery(words, config="simple", search_type="websearch"))
        return self.filter(holding | models.Q(ref__in=refs) if refs else holding)

    def named(self) -> models.QuerySet[Event, Any]:
        """Return the id and the last change of name of every retriever: few rows, found by their actions."""
        named = self.doing("retriever.created", "retriever.renamed", "retriever.deleted")
        newest = named.order_by("retriever_id", *NEWEST_FIRST).distinct("retriever_id")
        return newest.values_list("retriever_id", "changes__name")
