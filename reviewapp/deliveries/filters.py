"""What a person asks the deliveries page for: read from the address, written back into it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.http import urlencode

from reviewapp.outbox.models import Change
from reviewapp.outbox.querysets import ChangeQuerySet
from reviewapp.outbox.status.change_filters import Kind, condition
from reviewapp.retrievers.models import Retriever

_CHOICES = 500


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which changes: every part that is set narrows."""

    state: str = Kind.OPEN
    reason: str = ""
    retriever: str = ""
    person: str = ""

    @property
    def narrowed(self) -> bool:
        """Return whether anything is left out that the page would show by itself."""
        return self != Wanted()

    def changes(self) -> ChangeQuerySet:
        """Return the changes in question, in no order."""
        exact = {"reason": self.reason, "retriever_id": self.retriever, "actor_id": self.person}
        narrowed = {name: value for name, value in exact.items() if value}
        return Change.objects.filter(condition(self.state, timezone.now()), **narrowed)

    def querystring(self, **more: str) -> str:
        """Return `?...` for all this and `more`, or "" when there is nothing to say."""
        usual = asdict(Wanted())
        said = {name: value for name, value in (asdict(self) | more).items() if value and value != usual.get(name)}
        return f"?{urlencode(said)}" if said else ""


class DeliveriesForm(forms.Form):
    """The filters of the deliveries page; `wanted()` is what was asked for, what makes no sense left out."""

    state = forms.ChoiceField(label="State", choices=Kind.choices, required=False)
    retriever = forms.ChoiceField(label="Retriever", required=False)
    person = forms.ChoiceField(label="Person", required=False)
    reason = forms.CharField(label="Reason", max_length=2000, required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        people = get_user_model().objects.order_by("username").values_list("pk", "username")[:_CHOICES]
        retrievers = Retriever.objects.order_by("name", "id").values_list("retriever_id", "name")[:_CHOICES]
        for name, first, offered in (("person", "Anybody", people), ("retriever", "Any retriever", retrievers)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", first), *((str(value), str(said)) for value, said in offered)]

    def wanted(self) -> Wanted:
        """Return what was asked for, as far as it makes sense."""
        self.is_valid()
        asked = {name: self.cleaned_data.get(name) or "" for name in self.base_fields}
        return Wanted(**asked | {"state": asked["state"] or Kind.OPEN})
