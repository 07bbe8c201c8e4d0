"""Fill `{{INPUT.x}}` in stage parameters, and check inputs against an input_schema; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tools.sandbox.errors import Complaint, Invalid
from tools.sandbox.rules.validation import Json

_TEMPLATE = re.compile(r"\{\{\s*INPUTS?\.([A-Za-z0-9_][A-Za-z0-9_.\-]*)\s*\}\}", re.IGNORECASE)
_NOT_GIVEN = object()
_NUMBERS = {"number", "float"}
_OBJECTS: dict[str, type] = {"boolean": bool, "object": dict, "array": list}


def fill(value: Any, inputs: Mapping[str, Any]) -> Any:
    """Return `value` with every template filled in.

    A string that is one template and nothing else becomes the input itself, of its own type, and
    when that input was not given its key (or list item) is left out, so a stage can tell "not
    given" from null. Inside a longer string the input is written as text, nothing when it was not
    given.
    """
    filled = _fill(value, inputs)
    if filled is _NOT_GIVEN:
        return None
    return filled


def _fill(value: Any, inputs: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        items = ((key, _fill(item, inputs)) for key, item in value.items())
        return {key: item for key, item in items if item is not _NOT_GIVEN}
    if isinstance(value, list):
        filled = [_fill(item, inputs) for item in value]
        return [item for item in filled if item is not _NOT_GIVEN]
    if not isinstance(value, str):
        return value
    whole = _TEMPLATE.fullmatch(value.strip())
    if whole:
        given = _reach(inputs, whole[1])
        return _NOT_GIVEN if given is None else given
    return _TEMPLATE.sub(lambda match: _as_text(_reach(inputs, match[1])), value)


def _reach(inputs: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(inputs, Mapping):
            return None
        inputs = inputs.get(key)
    return inputs


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def resolve_inputs(inputs: Json, schema: Mapping[str, Json]) -> Json:
    """Return the inputs to run with, defaults filled in.

    A null counts as not given. Raises `Invalid` naming each missing or wrong input.
    """
    given = {name: value for name, value in inputs.items() if value is not None}
    complaints = []

    for name, declared in schema.items():
        has_default = declared.get("default") is not None
        if declared.get("required") and not has_default and name not in given:
            message = f"Input {name!r} is required"
            complaints.append(_complaint("missing", name, message))

    for name, value in given.items():
        declared = schema.get(name) or {}
        problem = _mismatch(value, declared) if declared else None
        if problem:
            complaints.append(_complaint("input_type", name, problem))

    if complaints:
        raise Invalid(complaints)

    defaults = {
        name: declared["default"] for name, declared in schema.items() if "default" in declared
    }
    return {**defaults, **given}


def _complaint(kind: str, name: str, message: str) -> Complaint:
    return Complaint(kind=kind, location=("body", "inputs", name), message=message)


def _mismatch(value: Any, declared: Json) -> str | None:
    kind = declared["type"]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_whole = is_number and value % 1 == 0
    if kind in _NUMBERS and not is_number:
        return f"should be a number, not {value!r}"
    if kind == "integer" and not is_whole:
        return f"should be an integer, not {value!r}"
    if kind in _OBJECTS and not isinstance(value, _OBJECTS[kind]):
        return f"should be of type {kind}, not {value!r}"
    if kind in {"string", "text", "date", "datetime"} and not isinstance(value, str):
        return f"should be text, not {value!r}"
    if declared.get("enum") and value not in declared["enum"]:
        return f"should be one of {declared['enum']!r}, not {value!r}"
    return None
