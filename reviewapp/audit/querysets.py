"""Queries of the history, each with an index that `Event.Meta` names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.contrib.postgres.search import SearchQuery
from django.db import models

if TYPE_CHECKING:
    from reviewapp.audit.models import Event

MAX_REQUEST_ID_LENGTH = 64
NEWEST_FIRST = ("-at", "-id")


class EventQuerySet(models.QuerySet["Event"]):
    """Events, unordered unless the method says so."""

    def newest(self) -> Self:
        """Return them newest first, without the search vector."""
        return self.defer("words").order_by(*NEWEST_FIRST)

    def about(self, *refs: str) -> Self:
        """Return the timeline of these refs, newest first."""
        return self.filter(ref__in=refs).newest()

    def by(self, person_id: int | None) -> Self:
        """Return what one person did; None selects what no person of ours did."""
        return self.filter(actor_id=person_id)

    def by_any_of(self, person_ids: Iterable[int | None]) -> Self:
        """Return what these people did; None stands for what no person of ours did."""
        keys = set(person_ids)
        condition = models.Q(actor_id__in=keys - {None})
        if None in keys:
            condition |= models.Q(actor_id=None)
        return self.filter(condition)

    def from_origins(self, origins: Iterable[str]) -> Self:
        """Return the events that came through one of these origins."""
        return self.filter(origin__in=sorted(origins))

    def doing(self, *actions: str) -> Self:
        """Return the events with one of these actions."""
        return self.filter(action__in=actions)

    def around(self, retriever_id: str) -> Self:
        """Return the events of a retriever and of everything that it found."""
        return self.filter(retriever_id=retriever_id)

    def between(self, since: datetime | None, until: datetime | None) -> Self:
        """Return the events from `since` (inclusive) to `until` (exclusive); None is unbounded."""
        span: dict[str, datetime] = {}
        if since is not None:
            span["at__gte"] = since
        if until is not None:
            span["at__lt"] = until
        return self.filter(**span)

    def relabelled(self, old: str, new: str) -> Self:
        """Return the events that changed a label from `old` to `new`; "" is any label."""
        labels = {"label_from": old, "label_to": new}
        return self.filter(**{column: label for column, label in labels.items() if label})

    def mentioning(self, words: str, *refs: str) -> Self:
        """Return the events whose note, ref, person or changed values match a web search.

        The search knows "a phrase", -not and or. Events about any of `refs`, and those of a request
        whose id is the only word, are always included.
        """
        query = SearchQuery(words, config="simple", search_type="websearch")
        condition = models.Q(words=query)
        word = words.strip("\"' ")
        if word and len(word) <= MAX_REQUEST_ID_LENGTH and len(word.split()) == 1:
            condition |= models.Q(request_id=word)
        if refs:
            condition |= models.Q(ref__in=refs)
        return self.filter(condition)
