"""Filters of the history: read from the query string, and written back into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.audit.actions import Action
from reviewapp.audit.first_page import ORIGINS, FilterChoices, Shown
from reviewapp.audit.models import Event
from reviewapp.audit.registry import find_matching_refs, find_ref_aliases
from reviewapp.audit.totals import action_title
from reviewapp.web.filters import (
    Choice,
    Choices,
    Filter,
    TimeSpanForm,
    distinct_choices,
    with_chosen_people,
)

if TYPE_CHECKING:
    from reviewapp.audit.querysets import EventQuerySet

NO_PERSON = "none"


@dataclass(frozen=True, kw_only=True)
class EventFilter(Filter):
    """A filter of events; every field that is set narrows it.

    `person` holds the keys of people, of whom any may have acted, or `NO_PERSON`. `show` says whose
    doing is shown (`first_page.Shown`); a filter with an action shows everybody's. `since` is
    inclusive, `until` exclusive.
    """

    show: str = Shown.PEOPLE
    person: tuple[str, ...] = ()
    action: str = ""
    retriever: str = ""
    ref: str = ""
    label_from: str = ""
    label_to: str = ""
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""

    def events(self) -> EventQuerySet:
        """Return the matching events, newest first."""
        events = Event.objects.between(self.since, self.until)
        events = events.relabelled(self.label_from, self.label_to).newest()
        if self.person:
            keys = [None if key == NO_PERSON else int(key) for key in self.person]
            events = events.by_any_of(keys)
        if self.action:
            events = events.doing(self.action)
        elif ORIGINS[self.show]:
            events = events.from_origins(ORIGINS[self.show])
        if self.retriever:
            events = events.around(self.retriever)
        if self.ref:
            events = events.about(*find_ref_aliases(self.ref))
        if self.q:
            refs = [*self._searched_refs(), *find_matching_refs(self.q)]
            events = events.mentioning(self.q, *dict.fromkeys(refs))
        return events

    @property
    def is_narrowed(self) -> bool:
        """Return whether the filter narrows what `show` shows."""
        return replace(self, show=Shown.PEOPLE) != EventFilter()

    def _searched_refs(self) -> list[str]:
        """Return the refs that the search may name: it is one word, and not of letters only."""
        word = self.q.strip("\"' ")
        if word.isalpha() or len(word.split()) != 1:
            return []
        return find_ref_aliases(word)


class HistoryForm(TimeSpanForm):
    """The filters of the history page."""

    q = forms.CharField(
        label=gettext_lazy("Search titles, ids, notes, people and values"),
        max_length=200,
        required=False,
    )
    show = Choice(label=gettext_lazy("Show"), choices=Shown.choices)
    person = Choices(label=gettext_lazy("People"))
    action = Choice(label=gettext_lazy("Action"))
    retriever = Choice(label=gettext_lazy("Retriever"))
    ref = forms.CharField(label=gettext_lazy("Ref"), max_length=300, required=False)
    label_from = forms.CharField(
        label=gettext_lazy("Label before"), max_length=100, required=False, strip=False
    )
    label_to = forms.CharField(
        label=gettext_lazy("Label after"), max_length=100, required=False, strip=False
    )

    def __init__(self, data: QueryDict, *, choices: FilterChoices) -> None:
        super().__init__(data)
        actions = [(action.value, action_title(action)) for action in Action]
        rows = [(key, name, key) for key, name in choices.retriever_names.items()]
        rows.sort(key=lambda row: row[1].casefold())
        retrievers = distinct_choices(rows)

        people = with_chosen_people(choices.people, data.getlist("person"))
        self.set_choices("person", [(NO_PERSON, _("Nobody here")), *people])
        self.set_choices("action", [("", _("Any action")), *actions])
        self.set_choices("retriever", [("", _("Any retriever")), *retrievers])

    def event_filter(self) -> EventFilter:
        """Return the filter, once the form is valid."""
        return EventFilter(**self.values())
