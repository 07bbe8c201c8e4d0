"""The inputs of a run as a form."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from reviewapp.retrievers.executions.input_fields import examples, field_for, to_json_value
from reviewapp.retrievers.models import Retriever
from reviewapp.storable import is_storable

_MAX_INPUTS = 100


class RunForm(forms.Form):
    """The inputs of one run, one field for each that the retriever declares.

    Names are prefixed with `input-`, so that an input may have any name. `like` holds the inputs of
    an earlier run, as initial values.
    """

    def __init__(
        self,
        retriever: Retriever,
        data: Mapping[str, Any] | None = None,
        *,
        like: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data=data, prefix="input")
        # The database does not keep upstream's order: what must be given comes first.
        schema = retriever.input_schema
        declared = [(name, entry) for name, entry in schema.items() if isinstance(entry, dict)]
        self.declared = dict(sorted(declared, key=lambda pair: pair[1].get("required") is not True))

        for index, (name, entry) in enumerate(islice(self.declared.items(), _MAX_INPUTS)):
            declaration = entry
            if like and name in like:
                declaration = entry | {"default": like[name]}
            field = field_for(name, declaration)
            self.fields[name] = field
            if len(examples(entry)) > 1 and field.widget.__class__ is forms.TextInput:
                field.widget.attrs["list"] = f"examples-{index}"

    def clean(self) -> dict[str, Any]:
        """Refuse text that cannot be stored, which browsers do not send and command lines can."""
        for name, value in list(self.cleaned_data.items()):
            if not is_storable(value):
                self.add_error(
                    name,
                    ValidationError(_("Remove the characters that cannot be stored.")),
                )
        return self.cleaned_data

    def inputs(self) -> dict[str, Any]:
        """Return the inputs to send: JSON values by name, without empty ones."""
        blank: tuple[Any, ...] = (None, "", [], {})
        values = {}
        for name, value in self.cleaned_data.items():
            if value not in blank:
                values[name] = to_json_value(value)
        return values

    def rows(self) -> list[tuple[forms.BoundField, list[str], str]]:
        """Return each field with its examples and its declared type."""
        rows = []
        for name in self.fields:
            declaration = self.declared[name]
            declared_type = str(declaration.get("type", "string"))
            rows.append((self[name], examples(declaration), declared_type))
        return rows
