"""Form fields for the declared inputs of a retriever.

Declarations are upstream's (`name -> {type, required, default, description, enum, examples, items,
...}`), so no value in them is trusted to have the right type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from reviewapp.retrievers.documents.layout import format_scalar
from reviewapp.retrievers.executions.form_fields import AddressField, ExactNumberField, JsonField

FILE_TYPES = {"image", "audio", "video", "pdf", "excel"}
_MAX_ADDRESS_LENGTH = 256 * 1024


def field_for(name: str, declared: Mapping[str, Any]) -> forms.Field:
    """Return the form field for one declared input; an unknown type counts as a string."""
    kind = declared.get("type")
    options: dict[str, Any] = {
        "label": name.replace("_", " ").strip().capitalize() or name,
        "help_text": format_scalar(declared.get("description")),
        "required": declared.get("required") is True,
        "initial": declared.get("default"),
    }
    field = _build_field(str(kind), declared, options)
    attributes = field.widget.attrs
    is_select = isinstance(field.widget, forms.Select)
    attributes["class"] = "select" if is_select else "input"
    declared_examples = examples(declared)
    if declared_examples:
        attributes["placeholder"] = _("For example: %(example)s") % {
            "example": declared_examples[0]
        }
    return field


def _build_field(kind: str, declared: Mapping[str, Any], options: dict[str, Any]) -> forms.Field:
    if _choices(declared):
        return choice_field(declared, options)
    if kind in {"integer", "number", "float"}:
        for option, key in (("min_value", "minimum"), ("max_value", "maximum")):
            if isinstance(declared.get(key), int | float):
                options[option] = declared[key]
        if kind == "integer":
            return forms.IntegerField(**options)
        return ExactNumberField(**options, widget=forms.NumberInput({"step": "any"}))
    if kind in FILE_TYPES:
        return AddressField(**options, widget=forms.URLInput(), max_length=_MAX_ADDRESS_LENGTH)
    build = _BUILDERS.get(kind, forms.CharField)
    return build(**options)


def date_field(**options: Any) -> forms.Field:
    """Return a field for a date, whose default may be an instant."""
    options["initial"] = format_scalar(options["initial"])[:10]
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(**options, widget=widget)


def datetime_field(**options: Any) -> forms.Field:
    """Return a field for an instant, in UTC."""
    # A declared default that is no instant is left out.
    initial = None
    with suppress(TypeError, ValueError, OverflowError):
        instant = datetime.fromisoformat(options["initial"])
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        initial = instant.astimezone(UTC)

    options["initial"] = initial
    options["help_text"] = " ".join(filter(None, [options["help_text"], _("In UTC.")]))
    widget = forms.DateTimeInput(
        {"type": "datetime-local", "step": "1"},
        format="%Y-%m-%dT%H:%M:%S",
    )
    return forms.DateTimeField(**options, widget=widget)


def boolean_field(**options: Any) -> forms.Field:
    """Return a choice of yes, no and, unless it must be given, neither."""
    default = options.pop("initial")
    initial = ""
    if isinstance(default, bool):
        initial = "true" if default else "false"
    needs_blank = not options["required"] or default is None
    blank = [("", _("Not given"))] if needs_blank else []
    return forms.TypedChoiceField(
        **options,
        initial=initial,
        choices=[*blank, ("true", _("Yes")), ("false", _("No"))],
        coerce=lambda value: value == "true",
        empty_value=None,
    )


_BUILDERS: dict[str, Callable[..., forms.Field]] = {
    "boolean": boolean_field,
    "object": partial(JsonField, kind=dict),
    "array": partial(JsonField, kind=list),
    "date": date_field,
    "datetime": datetime_field,
    "text": partial(forms.CharField, widget=forms.Textarea({"rows": 3})),
    "document_reference": partial(forms.CharField, max_length=200),
}


def _choices(declared: Mapping[str, Any]) -> list[Any]:
    values = declared.get("enum")
    if isinstance(values, list):
        return values
    return []


def choice_field(declared: Mapping[str, Any], options: dict[str, Any]) -> forms.Field:
    """Return a choice of the declared values, of one or, for an array, of several."""
    by_key = {_key(value): value for value in _choices(declared)}
    pairs = []
    for key, value in by_key.items():
        title = key if isinstance(value, dict | list) else format_scalar(value)
        pairs.append((key, title))

    default = options.pop("initial")
    if declared.get("type") == "array":
        initial = [_key(value) for value in default] if isinstance(default, list) else []
        return forms.TypedMultipleChoiceField(
            **options,
            initial=initial,
            choices=pairs,
            coerce=by_key.__getitem__,
            empty_value=None,
        )

    blank = []
    if default is None:
        blank.append(("", _("Choose one") if options["required"] else _("Not given")))
    return forms.TypedChoiceField(
        **options,
        initial="" if default is None else _key(default),
        choices=[*blank, *pairs],
        coerce=by_key.__getitem__,
        empty_value=None,
    )


def _key(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


def examples(declared: Mapping[str, Any]) -> list[str]:
    """Return the declared examples as people would type them."""
    values = declared.get("examples")
    if not isinstance(values, list):
        return []

    texts = []
    for value in values:
        if isinstance(value, dict | list):
            texts.append(json.dumps(value, ensure_ascii=False))
        elif value is not None:
            texts.append(format_scalar(value))
    return texts


def to_json_value(value: Any) -> Any:
    """Return a field's cleaned value as JSON can hold it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
