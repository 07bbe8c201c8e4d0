"""What a person asks the history for: read from the address of the page, written back into it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.http import urlencode

from reviewapp.audit.actions import Action
from reviewapp.audit.first_page import people
from reviewapp.audit.models import Event
from reviewapp.audit.registry import names

if TYPE_CHECKING:
    from reviewapp.audit.querysets import EventQuerySet

NO_PERSON = "none"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which events: every part that is set narrows; times are instants, `since` included, `until` not."""

    person: str = ""
    action: str = ""
    retriever: str = ""
    ref: str = ""
    label_from: str = ""
    label_to: str = ""
    since: datetime | None = None
    until: datetime | None = None
    q: str = ""

    @property
    def narrowed(self) -> bool:
        """Return whether anything is left out."""
        return self != Wanted()

    def events(self) -> EventQuerySet:
        """Return the events in question, newest first."""
        events = Event.objects.between(self.since, self.until).relabelled(self.label_from, self.label_to).newest()
        if self.person:
            events = events.by(None if self.person == NO_PERSON else int(self.person))
        if self.action:
            events = events.doing(self.action)
        if self.retriever:
            events = events.around(self.retriever)
        if self.ref:
            events = events.about(*names(self.ref))
        return events.mentioning(self.q, *self._named()) if self.q else events

    def _named(self) -> list[str]:
        """Return the refs of what is searched for, if it is one word that may be an id: words of a text are letters."""
        word = self.q.strip("\"' ")
        return [] if word.isalpha() or len(word.split()) != 1 else names(word)

    def querystring(self, **more: str) -> str:
        """Return `?...` for all this and `more`, or "" when there is nothing to say."""
        said = {name: _spelt(value) for name, value in (asdict(self) | more).items() if value}
        return f"?{urlencode(said)}" if said else ""


# The outermost years cannot be moved between time zones.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


class HistoryForm(forms.Form):
    """The filters of the history page; `wanted()` is what was asked for, once the form is valid."""

    q = forms.CharField(label="Search notes, refs, people and what was written", max_length=200, required=False)
    person = forms.ChoiceField(label="Person", required=False)
    action = forms.ChoiceField(label="Action", required=False)
    retriever = forms.ChoiceField(label="Retriever", required=False)
    ref = forms.CharField(label="Ref", max_length=300, required=False)
    label_from = forms.CharField(label="Label before", max_length=100, required=False)
    label_to = forms.CharField(label="Label after", max_length=100, required=False)
    since = forms.DateTimeField(label="From", required=False)
    until = forms.DateTimeField(label="Until", required=False)

    def __init__(self, data: Any, *, retriever_names: dict[str, str]) -> None:
        super().__init__(data)
        named = sorted(retriever_names.items(), key=lambda pair: pair[1].casefold())
        for name, choices in {
            "person": [("", "Anybody"), (NO_PERSON, "No person of ours"), *((str(pk), said) for pk, said in people())],
            "action": [("", "Any action"), *((action.value, _heading(action)) for action in Action)],
            "retriever": [("", "Any retriever"), *named],
        }.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        """Refuse a span of time that ends before it begins, and times that no calendar of ours knows."""
        for name in ("since", "until"):
            at = self.cleaned_data.get(name)
            if at and not _FIRST_YEAR <= at.year <= _LAST_YEAR:
                self.add_error(name, f"The year must be from {_FIRST_YEAR} to {_LAST_YEAR}.")
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until <= since:
            self.add_error("until", "This must be later than where it starts.")
        return self.cleaned_data

    def wanted(self) -> Wanted:
        """Return what was asked for."""
        return Wanted(**self.cleaned_data)


def _heading(action: Action) -> str:
    thing, verb = action.value.split(".")
    return f"{thing}: {verb}"


def _spelt(value: str | datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S") if isinstance(value, datetime) else value
