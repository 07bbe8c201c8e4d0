"""Check the inputs of a run against the retriever's declaration: names and JSON types. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

InputError = tuple[str, list[str | int], str]
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("string", "text", "date", "datetime"), ((str,), "a text")),
    **dict.fromkeys(("image", "audio", "video", "pdf", "excel"), ((str,), "a URL")),
    **dict.fromkeys(("number", "float"), ((int, float), "a number")),
    "integer": ((int,), "a whole number"),
    "boolean": ((bool,), "true or false"),
    "object": ((dict,), "an object"),
    "array": ((list,), "a list"),
    "document_reference": ((str, dict), "a document's id or reference"),
}


def input_errors(schema: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[InputError]:
    """Yield each error of `inputs` as (type, location, message)."""
    location: list[str | int] = ["body", "inputs"]
    for name in inputs:
        if name not in schema:
            known = ", ".join(map(str, schema)) or "none"
            message = f"This retriever has no such input. Its inputs: {known}"
            yield "extra_forbidden", [*location, name[:100]], message

    for name, declared in schema.items():
        if not isinstance(declared, dict):
            continue

        value = inputs.get(name)
        if value is None:
            if declared.get("required") and declared.get("default") is None:
                yield "missing", [*location, name], "This input is required."
            continue

        message = type_error(declared, value)
        if message:
            yield "input_type", [*location, name], message


def type_error(declared: Mapping[str, Any], value: Any) -> str:
    """Return why `value` does not fit the declared type or enum, or an empty text."""
    types, description = _KINDS.get(str(declared.get("type")), ((object,), ""))
    is_wrong_bool = isinstance(value, bool) and bool not in types and object not in types
    if is_wrong_bool or not isinstance(value, types):
        return f"This must be {description}."

    choices = declared.get("enum")
    if isinstance(choices, list) and choices and value not in choices:
        return f"This must be one of {', '.join(map(str, choices[:50]))}."
    return ""
