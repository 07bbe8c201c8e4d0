"""One input of a retriever as a form field: what its declaration says becomes what a person can type.

Declarations are upstream's (`name -> {type, required, default, description, enum, examples, items, ...}`), so nothing
in them is trusted to have the right type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from django import forms

from reviewapp.retrievers.documents.layout import shown
from reviewapp.retrievers.executions.form_fields import AddressField, JsonField

FILE_TYPES = {"image", "audio", "video", "pdf", "excel"}
_MOST_ADDRESS = 256 * 1024


def field_for(name: str, declared: Mapping[str, Any]) -> forms.Field:
    """Return the field for one declared input; a type that nobody knows yet is read as a string."""
    kind = declared.get("type")
    options: dict[str, Any] = {
        "label": name.replace("_", " ").strip().capitalize() or name,
        "help_text": shown(declared.get("description")),
        "required": declared.get("required") is True,
        "initial": declared.get("default"),
    }
    field = _chosen(declared, options) if _choices(declared) else _typed(str(kind), declared, options)
    is_select = isinstance(field.widget, forms.Select)
    field.widget.attrs |= {"class": "form-select" if is_select else "form-control", **_hints(declared)}
    return field


def _typed(kind: str, declared: Mapping[str, Any], options: dict[str, Any]) -> forms.Field:
    if kind in {"integer", "number", "float"}:
        return _number(kind, declared, options)
    if kind in FILE_TYPES:
        return AddressField(**options, widget=forms.URLInput(), max_length=_MOST_ADDRESS)
    make = _MAKERS.get(kind, forms.CharField)
    return make(**options)


def _number(kind: str, declared: Mapping[str, Any], options: dict[str, Any]) -> forms.Field:
    for bound, given in (("min_value", "minimum"), ("max_value", "maximum")):
        if isinstance(declared.get(given), int | float):
            options[bound] = declared[given]
    if kind == "integer":
        return forms.IntegerField(**options)
    return forms.FloatField(**options, widget=forms.NumberInput({"step": "any"}))


def _date(**options: Any) -> forms.Field:
    options["initial"] = shown(options["initial"])[:10]
    return forms.DateField(**options, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))


def _datetime(**options: Any) -> forms.Field:
    options["initial"] = _instant(options["initial"])
    widget = forms.DateTimeInput({"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")
    options["help_text"] = f"{options['help_text']} In UTC.".strip()
    return forms.DateTimeField(**options, widget=widget)


def _instant(given: Any) -> datetime | None:
    """Return a declared default as an instant in UTC, as the field shows it."""
    try:
        found = datetime.fromisoformat(given)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _yes_or_no(**options: Any) -> forms.Field:
    blank = [] if options["required"] and options["initial"] is not None else [("", "Not given")]
    initial = {True: "true", False: "false"}.get(options.pop("initial"), "")
    return forms.TypedChoiceField(
        **options,
        initial=initial,
        choices=[*blank, ("true", "Yes"), ("false", "No")],
        coerce=lambda value: value == "true",
        empty_value=None,
    )


_MAKERS: dict[str, Callable[..., forms.Field]] = {
    "boolean": _yes_or_no,
    "object": partial(JsonField, kind=dict),
    "array": partial(JsonField, kind=list),
    "date": _date,
    "datetime": _datetime,
    "text": partial(forms.CharField, widget=forms.Textarea({"rows": 3})),
    "document_reference": partial(forms.CharField, max_length=200),
}


def _choices(declared: Mapping[str, Any]) -> list[Any]:
    listed = declared.get("enum")
    return listed if isinstance(listed, list) else []


def _chosen(declared: Mapping[str, Any], options: dict[str, Any]) -> forms.Field:
    by_key = {_key(value): value for value in _choices(declared)}
    pairs = [(key, shown(value) if not isinstance(value, dict | list) else key) for key, value in by_key.items()]
    default = options.pop("initial")
    if declared.get("type") == "array":
        initial = [_key(value) for value in default] if isinstance(default, list) else []
        return forms.TypedMultipleChoiceField(
            **options, initial=initial, choices=pairs, coerce=by_key.__getitem__, empty_value=None
        )
    blank = [] if default is not None else [("", "Choose one" if options["required"] else "Not given")]
    return forms.TypedChoiceField(
        **options,
        initial="" if default is None else _key(default),
        choices=[*blank, *pairs],
        coerce=by_key.__getitem__,
        empty_value=None,
    )


def _key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _hints(declared: Mapping[str, Any]) -> dict[str, str]:
    given = examples(declared)
    return {"placeholder": f"For example: {given[0]}"} if given else {}


def examples(declared: Mapping[str, Any]) -> list[str]:
    """Return the declared examples as people would type them."""
    listed = declared.get("examples")
    return [
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else shown(value)
        for value in (listed if isinstance(listed, list) else [])
        if value is not None
    ]


def plain(value: Any) -> Any:
    """Return a field's cleaned value as JSON can hold it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
