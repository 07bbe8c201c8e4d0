"""Are the inputs of a run what the retriever declares? Names and JSON types; the rest is Mixpeek's to judge. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Complaint = tuple[str, list[str | int], str]
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


def complaints(schema: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield what is wrong with `inputs`: (type, location, sentence)."""
    at: list[str | int] = ["body", "inputs"]
    for name in inputs:
        if name not in schema:
            known = ", ".join(map(str, schema)) or "none"
            yield "extra_forbidden", [*at, name[:100]], f"This retriever has no such input. Its inputs: {known}"
    for name, declared in schema.items():
        if isinstance(declared, dict):
            value = inputs.get(name)
            if value is None and declared.get("required") and declared.get("default") is None:
                yield "missing", [*at, name], "This input is required."
            elif value is not None and (said := _unfit(declared, value)):
                yield "input_type", [*at, name], said


def _unfit(declared: Mapping[str, Any], value: Any) -> str:
    kinds, words = _KINDS.get(str(declared.get("type")), ((object,), ""))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and object not in kinds):
        return f"This must be {words}."
    among = declared.get("enum")
    if isinstance(among, list) and among and value not in among:
        return f"This must be one of {', '.join(map(str, among[:50]))}."
    return ""
