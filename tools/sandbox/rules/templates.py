"""`{{INPUT.x}}` in stage parameters, and the inputs themselves checked against an input_schema;
pure.
"""

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
    return None if filled is _NOT_GIVEN else filled


def _fill(value: Any, inputs: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        items = ((key, _fill(item, inputs)) for key, item in value.items())
        return {key: item for key, item in items if item is not _NOT_GIVEN}
    if isinstance(value, list):
        return [item for item in (_fill(each, inputs) for each in value) if item is not _NOT_GIVEN]
    if not isinstance(value, str):
        return value
    whole = _TEMPLATE.fullmatch(value.strip())
    if whole:
        found = _reach(inputs, whole[1])
        return _NOT_GIVEN if found is None else found
    return _TEMPLATE.sub(lambda match: _as_text(_reach(inputs, match[1])), value)


def _reach(inputs: Any, path: str) -> Any:
    for key in path.split("."):
        inputs = inputs.get(key) if isinstance(inputs, Mapping) else None
    return inputs


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def resolve_inputs(given: Json, schema: Mapping[str, Json]) -> Json:
    """Return the inputs to run with, defaults filled in; raise `Invalid` naming each missing or
    wrong one.
    """
    complaints = [
        Complaint(
            kind="missing",
            location=("body", "inputs", name),
            message=f"Input {name!r} is required",
        )
        for name, declared in schema.items()
        if declared.get("required") and declared.get("default") is None and given.get(name) is None
    ]
    for name, value in given.items():
        problem = _mismatch(value, schema[name]) if schema.get(name) and value is not None else None
        if problem:
            complaints.append(
                Complaint(kind="input_type", location=("body", "inputs", name), message=problem),
            )
    if complaints:
        raise Invalid(complaints)
    defaults = {
        name: declared["default"] for name, declared in schema.items() if "default" in declared
    }
    return {**defaults, **{name: value for name, value in given.items() if value is not None}}


def _mismatch(value: Any, declared: Json) -> str | None:
    kind = declared["type"]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in _NUMBERS and not number:
        return f"should be a number, not {value!r}"
    if kind == "integer" and not (number and (isinstance(value, int) or value.is_integer())):
        return f"should be an integer, not {value!r}"
    if kind in _OBJECTS and not isinstance(value, _OBJECTS[kind]):
        return f"should be of type {kind}, not {value!r}"
    if kind in {"string", "text", "date", "datetime"} and not isinstance(value, str):
        return f"should be text, not {value!r}"
    if declared.get("enum") and value not in declared["enum"]:
        return f"should be one of {declared['enum']!r}, not {value!r}"
    return None
