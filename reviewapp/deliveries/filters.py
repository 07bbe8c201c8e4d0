"""Filters of the deliveries page: read from the query string, and written back into it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.http import urlencode

from reviewapp.outbox.models import Change
from reviewapp.outbox.querysets import ChangeQuerySet
from reviewapp.outbox.status.change_filters import ChangeFilter, filter_condition
from reviewapp.retrievers.models import Retriever

_MAX_CHOICES = 500


@dataclass(frozen=True, kw_only=True)
class DeliveryFilter:
    """A filter of changes; every field that is set narrows it."""

    state: str = ChangeFilter.OPEN
    reason: str = ""
    retriever: str = ""
    person: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Return whether the filter differs from the default."""
        return self != DeliveryFilter()

    def changes(self) -> ChangeQuerySet:
        """Return the matching changes, unordered."""
        columns = {
            "reason": self.reason,
            "retriever_id": self.retriever,
            "actor_id": self.person,
        }
        conditions = {name: value for name, value in columns.items() if value}
        return Change.objects.filter(filter_condition(self.state, timezone.now()), **conditions)

    def querystring(self, **more: str) -> str:
        """Return `?...` for this filter and `more`, or "" if all are defaults."""
        defaults = asdict(DeliveryFilter())
        parameters = {}
        for name, value in (asdict(self) | more).items():
            if value and value != defaults.get(name):
                parameters[name] = value
        return f"?{urlencode(parameters)}" if parameters else ""


class DeliveriesForm(forms.Form):
    """The filters of the deliveries page; invalid ones are ignored."""

    state = forms.ChoiceField(label="State", choices=ChangeFilter.choices, required=False)
    retriever = forms.ChoiceField(label="Retriever", required=False)
    person = forms.ChoiceField(label="Person", required=False)
    reason = forms.CharField(label="Reason", max_length=2000, required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        people = get_user_model().objects.order_by("username").values_list("pk", "username")
        self._set_choices("person", "Anybody", people[:_MAX_CHOICES])

        retrievers = Retriever.objects.order_by("name", "id").values_list("retriever_id", "name")
        self._set_choices("retriever", "Any retriever", retrievers[:_MAX_CHOICES])

    def _set_choices(self, name: str, blank: str, rows: Iterable[tuple[Any, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", blank), *((str(value), str(title)) for value, title in rows)]

    def change_filter(self) -> DeliveryFilter:
        """Return the filter, without its invalid parts."""
        self.is_valid()
        values = {name: self.cleaned_data.get(name) or "" for name in self.base_fields}
        values["state"] = values["state"] or ChangeFilter.OPEN
        return DeliveryFilter(**values)
