"""Filters of the deliveries page: read from the query string, and written back into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.outbox.models import Change
from reviewapp.outbox.querysets import ChangeQuerySet
from reviewapp.outbox.status.change_filters import ChangeFilter, filter_condition
from reviewapp.retrievers.filters import offered_retrievers
from reviewapp.web.filters import Choice, Filter, FilterForm, offered_people


@dataclass(frozen=True, kw_only=True)
class DeliveryFilter(Filter):
    """A filter of changes; every field that is set narrows it."""

    state: str = ChangeFilter.OPEN
    reason: str = ""
    retriever: str = ""
    person: str = ""

    def changes(self) -> ChangeQuerySet:
        """Return the matching changes, unordered."""
        columns = {
            "reason": self.reason,
            "retriever_id": self.retriever,
            "actor_id": self.person,
        }
        conditions = {name: value for name, value in columns.items() if value}
        return Change.objects.filter(filter_condition(self.state, timezone.now()), **conditions)


class DeliveriesForm(FilterForm):
    """The filters of the deliveries page; invalid ones are ignored."""

    state = Choice(label=gettext_lazy("State"), choices=ChangeFilter.choices)
    retriever = Choice(label=gettext_lazy("Retriever"))
    person = Choice(label=gettext_lazy("Person"))
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=2000, required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        people = offered_people([data.get("person", "")])
        self.set_choices("person", [("", _("Anybody")), *people])
        choices = offered_retrievers(data.get("retriever", ""))
        self.set_choices("retriever", [("", _("Any retriever")), *choices])

    def change_filter(self) -> DeliveryFilter:
        """Return the filter, without its invalid parts."""
        return DeliveryFilter(**self.values())
