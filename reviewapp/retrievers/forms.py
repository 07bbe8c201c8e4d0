"""Forms about retrievers: the search in their list, and the inputs of a run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reviewapp.retrievers.documents.snapshot import UNSTORABLE
from reviewapp.retrievers.executions.input_fields import examples, field_for, plain
from reviewapp.retrievers.models import Retriever

_MOST_INPUTS = 100


SORTS = {
    "name": ("name", "id"),
    "waiting": ("-waiting", "id"),
    "edited": ("-edited_at", "-id"),
}


class ListForm(forms.Form):
    """What the list of retrievers is narrowed to, and its order."""

    q = forms.CharField(required=False, max_length=200)
    tag = forms.CharField(required=False, max_length=200, strip=False)

    def words(self) -> str:
        """Return what to look for; something that cannot be a name finds nothing rather than everything."""
        return str(self.cleaned_data.get("q", "")) if self.is_valid() else "\ufffd"

    def wanted_tag(self) -> str:
        """Return the tag that is asked for, "" for any."""
        return str(self.cleaned_data.get("tag", "")) if self.is_valid() else ""

    def wanted_sort(self) -> str:
        """Return the order asked for; one that is none is by name."""
        asked = str(self.data.get("sort", ""))
        return asked if asked in SORTS else "name"

    def order(self) -> tuple[str, ...]:
        """Return the columns of that order."""
        return SORTS[self.wanted_sort()]


class RunForm(forms.Form):
    """The inputs of one run, one field for each that the retriever declares.

    Names are prefixed with `input-`, so that an input may be called anything at all. `like` holds the inputs of an
    earlier run to begin with.
    """

    def __init__(
        self, retriever: Retriever, data: Mapping[str, Any] | None = None, *, like: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data=data, prefix="input")
        # The database does not keep upstream's order: what must be given comes first.
        declared = [(name, entry) for name, entry in retriever.input_schema.items() if isinstance(entry, dict)]
        self.declared = dict(sorted(declared, key=lambda pair: pair[1].get("required") is not True))
        for at, (name, entry) in enumerate(islice(self.declared.items(), _MOST_INPUTS)):
            self.fields[name] = field_for(name, entry | {"default": like[name]} if like and name in like else entry)
            if len(examples(entry)) > 1 and self.fields[name].widget.__class__ is forms.TextInput:
                self.fields[name].widget.attrs["list"] = f"examples-{at}"

    def clean(self) -> dict[str, Any]:
        """Refuse text that cannot be stored, which browsers do not send and command lines can."""
        for name, value in list(self.cleaned_data.items()):
            if isinstance(value, str) and UNSTORABLE.search(value):
                self.add_error(name, ValidationError("This holds characters that cannot be stored."))
        return self.cleaned_data

    def inputs(self) -> dict[str, Any]:
        """Return what to send: JSON values by name, without what was left empty."""
        blank: tuple[Any, ...] = (None, "", [], {})
        return {name: plain(value) for name, value in self.cleaned_data.items() if value not in blank}

    def rows(self) -> list[tuple[forms.BoundField, list[str], str]]:
        """Return each field with its examples and the type upstream declares."""
        return [
            (self[name], examples(self.declared[name]), str(self.declared[name].get("type", "string")))
            for name in self.fields
        ]
