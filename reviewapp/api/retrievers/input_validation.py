"""Check the inputs of a run against the retriever's declaration: names and JSON types. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

InputError = tuple[str, list[str | int], str]
_KINDS: dict[str, tuple[tuple[type, ...], str | Promise]] = {
    **dict.fromkeys(("string", "text", "date", "datetime"), ((str,), gettext_lazy("a text"))),
    **dict.fromkeys(("image", "audio", "video", "pdf", "excel"), ((str,), gettext_lazy("a URL"))),
    **dict.fromkeys(("number", "float"), ((int, float), gettext_lazy("a number"))),
    "integer": ((int,), gettext_lazy("a whole number")),
    "boolean": ((bool,), gettext_lazy("true or false")),
    "object": ((dict,), gettext_lazy("an object")),
    "array": ((list,), gettext_lazy("a list")),
    "document_reference": ((str, dict), gettext_lazy("a document's id or reference")),
}


def input_errors(schema: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[InputError]:
    """Yield each error of `inputs` as (type, location, message)."""
    location: list[str | int] = ["body", "inputs"]
    for name in inputs:
        if name not in schema:
            known = ", ".join(map(str, schema)) or _("none")
            message = _("This retriever has no such input. Its inputs: %(names)s")
            message %= {"names": known}
            yield "extra_forbidden", [*location, name[:100]], message

    for name, declared in schema.items():
        if not isinstance(declared, dict):
            continue

        value = inputs.get(name)
        if value is None:
            if declared.get("required") and declared.get("default") is None:
                yield "missing", [*location, name], _("This input is required.")
            continue

        message = type_error(declared, value)
        if message:
            yield "input_type", [*location, name], message


def type_error(declared: Mapping[str, Any], value: Any) -> str:
    """Return why `value` does not fit the declared type or enum, or an empty text."""
    types, description = _KINDS.get(str(declared.get("type")), ((object,), ""))
    is_wrong_bool = isinstance(value, bool) and bool not in types and object not in types
    if is_wrong_bool or not isinstance(value, types):
        return _("This must be %(description)s.") % {"description": description}

    choices = declared.get("enum")
    if isinstance(choices, list) and choices and value not in choices:
        names = ", ".join(map(str, choices[:50]))
        return _("This must be one of %(names)s.") % {"names": names}
    return ""
