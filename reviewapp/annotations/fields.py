"""The field table: the values of an annotation, one `Field` each. Pure.

Form inputs, drafts, conflict captions, digests, the mirror's columns, the API's shapes and the
script's list derive from it. "A field of an annotation" in docs/architecture.md lists what else a
new field needs, and a test holds what the client spells to this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from reviewapp.annotations import parsing
from reviewapp.annotations import payload as payloads
from reviewapp.retrievers.guidance.labels import MAX_LABEL_LENGTH
from reviewapp.storable import storable_json, storable_text


class Kind(Enum):
    """The JSON type of a field's value."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE_NUMBER = "whole number"
    OBJECT = "object"


_PYTHON_TYPES: dict[Kind, Any] = {
    Kind.TEXT: str,
    Kind.NUMBER: int | float,
    Kind.WHOLE_NUMBER: int,
    Kind.OBJECT: dict,
}


@dataclass(frozen=True, kw_only=True)
class StoredField:
    """One value of an annotation as the mirror stores it and a delivery sends it.

    `name` is the column, and the key at Mixpeek and in the API. `blank` is what we store where
    there is no value, which is null at Mixpeek; every annotation there has the `is_required` field.
    `minimum` and `maximum` bound a number; `column_length` bounds a text, in characters.
    """

    name: str
    kind: Kind
    blank: Any
    minimum: int | None = None
    maximum: int | None = None
    column_length: int | None = None
    is_required: bool = False

    def can_hold(self, value: Any) -> bool:
        """Return whether `value` has the type of the field and is within its bounds."""
        if value is None:
            return self.blank is None
        # To Python, true and false are numbers.
        if isinstance(value, bool) or not isinstance(value, _PYTHON_TYPES[self.kind]):
            return False
        if self.column_length is not None and len(value) > self.column_length:
            return False
        if self.minimum is not None and value < self.minimum:
            return False
        return self.maximum is None or value <= self.maximum

    def from_upstream(self, value: Any) -> Any:
        """Return a value of Mixpeek's as we store it: shortened, replaced or blank if need be."""
        if value is None:
            return self.blank
        if self.kind is Kind.TEXT:
            return storable_text(value, self.column_length)
        if self.kind is Kind.OBJECT:
            return storable_json(value)
        return value if self.can_hold(value) else self.blank


@dataclass(frozen=True, kw_only=True)
class Field(StoredField):
    """One value that people decide on, and how they write it.

    `name` is also the name of the form's input, `title` its caption. `parse` turns a typed text
    into a value, given the `base` that the form started from; it raises `InvalidValue`. `render`
    turns a value into the text that parses back to it. `check` raises `InvalidValue` for a value
    that no person could have written, if there are any. `max_length` is how many characters a
    person may write.

    A form starts with the value of a personal field only if a person gave it, and a relabel clears
    it unless the person gives it again.
    """

    title: str | Promise
    parse: Callable[[str, Any], Any]
    render: Callable[[Any], str]
    check: Callable[[Any], object] | None = None
    max_length: int | None = None
    is_personal: bool = False


# What people decide on, by name, in the order of the pages.
FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field(
            name="label",
            title=gettext_lazy("Label"),
            kind=Kind.TEXT,
            blank="",
            parse=parsing.label,
            render=str,
            check=parsing.label,
            max_length=MAX_LABEL_LENGTH,
            column_length=MAX_LABEL_LENGTH,
            is_required=True,
        ),
        Field(
            name="confidence",
            title=gettext_lazy("Confidence"),
            kind=Kind.NUMBER,
            blank=None,
            parse=parsing.confidence,
            render=parsing.number,
            minimum=0,
            maximum=1,
            is_personal=True,
        ),
        Field(
            name="reasoning",
            title=gettext_lazy("Reasoning"),
            kind=Kind.TEXT,
            blank="",
            parse=parsing.reasoning,
            render=str,
            check=parsing.reasoning,
            max_length=parsing.MAX_REASONING_LENGTH,
            is_personal=True,
        ),
        Field(
            name="payload",
            title=gettext_lazy("Payload"),
            kind=Kind.OBJECT,
            blank={},
            parse=parsing.payload,
            render=payloads.write,
            check=parsing.check_payload,
        ),
    )
}

# With metadata, which only scripts set.
STORED_FIELDS: dict[str, StoredField] = {
    **FIELDS,
    "metadata": StoredField(name="metadata", kind=Kind.OBJECT, blank=None),
}

BLANK_VALUES: dict[str, Any] = {name: field.blank for name, field in STORED_FIELDS.items()}
PERSONAL_FIELDS = tuple(name for name, field in FIELDS.items() if field.is_personal)
# The form starts with the current values of these, whoever gave them.
SHARED_FIELDS = tuple(name for name in FIELDS if name not in PERSONAL_FIELDS)


@dataclass(frozen=True, kw_only=True)
class FieldValues:
    """A value for each field of `FIELDS`."""

    label: str
    confidence: float | None = None
    reasoning: str = ""
    payload: dict[str, Any]

    def by_name(self) -> dict[str, Any]:
        """Return the values by the name of their field."""
        return {name: getattr(self, name) for name in FIELDS}


def as_typed(values: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Return the named fields of `values` as form data; the label is picked among the buttons."""
    data: dict[str, str] = {}
    for name in names:
        if name == "label":
            data |= {"choice": values["label"], "label": ""}
        else:
            data[name] = FIELDS[name].render(values[name])
    return data
