"""Declared fields and the one function that checks values against them; pure.

Bodies and data files go through the same declarations, so a file cannot hold what the API would
refuse.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tools.sandbox.errors import Complaint, Invalid

Json = dict[str, Any]
Verdict = tuple[str, str] | None

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Field:
    """What a declared key accepts; lengths are in characters, ranges include both ends."""

    kind: str
    required: bool = False
    nullable: bool = True
    least: float | None = None
    most: float | None = None
    among: tuple[str, ...] = ()
    items: Field | None = None


def validate(
    body: Any,
    fields: Mapping[str, Field],
    *,
    strict: bool,
    at: tuple[str | int, ...] = ("body",),
) -> Json:
    """Return the declared keys of `body` that were given; raise `Invalid` naming every wrong one.

    With `strict`, a key that is not declared is refused (`extra_forbidden`); without, it is
    dropped.
    """
    complaints = complaints_about(body, fields, strict=strict, at=at)
    if complaints:
        raise Invalid(complaints)
    return {key: value for key, value in body.items() if key in fields}


def complaints_about(
    body: Any, fields: Mapping[str, Field], *, strict: bool, at: tuple[str | int, ...] = ("body",)
) -> list[Complaint]:
    """Return what is wrong with `body`, in the order of its keys, then what is missing."""
    if not isinstance(body, dict):
        message = "Input should be a valid dictionary"
        return [Complaint(kind="model_attributes_type", location=at, message=message)]

    complaints: list[Complaint] = []
    if strict:
        complaints += _extras(body, fields, at)
    for key, value in body.items():
        if key in fields:
            complaints += check(value, fields[key], (*at, key))
    for key, field in fields.items():
        if field.required and key not in body:
            complaints.append(
                Complaint(kind="missing", location=(*at, key), message="Field required")
            )
    return complaints


def _extras(
    body: Json,
    fields: Mapping[str, Field],
    at: tuple[str | int, ...],
) -> Iterable[Complaint]:
    accepted = ", ".join(sorted(fields)) or "none"
    for key in body:
        if key not in fields:
            message = f"Extra inputs are not permitted. Accepted keys: {accepted}"
            yield Complaint(kind="extra_forbidden", location=(*at, key), message=message)


def check(value: Any, field: Field, at: tuple[str | int, ...]) -> list[Complaint]:
    """Return what is wrong with one value."""
    if value is None and field.nullable:
        return []
    verdict = _KINDS[field.kind](value, field)
    if verdict:
        kind, message = verdict
        return [Complaint(kind=kind, location=at, message=message)]
    if field.items and isinstance(value, list):
        complaints: list[Complaint] = []
        for index, item in enumerate(value):
            complaints += check(item, field.items, (*at, index))
        return complaints
    if broken_text(value):
        return [
            Complaint(kind="string_unicode", location=at, message="Text should be valid Unicode"),
        ]
    return []


def broken_text(value: Any) -> bool:
    """Return whether a lone surrogate stands anywhere in `value`: it cannot be stored as UTF-8."""
    if isinstance(value, str):
        return _SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(broken_text(key) or broken_text(item) for key, item in value.items())
    return isinstance(value, list) and any(map(broken_text, value))


def parse_json(text: str | bytes) -> Any:
    """Return the parsed JSON; raises `ValueError` also for NaN and for infinite numbers."""
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits} is too large a number")
    return value


def parse_instant(text: str) -> datetime:
    """Return an aware datetime; a naive one is read as UTC. Raises `ValueError`."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant


def _text(value: Any, field: Field) -> Verdict:
    if not isinstance(value, str):
        return "string_type", "Input should be a valid string"
    if field.least is not None and len(value) < field.least:
        return "string_too_short", f"String should have at least {field.least:g} characters"
    if field.most is not None and len(value) > field.most:
        return "string_too_long", f"String should have at most {field.most:g} characters"
    if field.among and value not in field.among:
        return "enum", f"Input should be one of: {', '.join(field.among)}"
    return None


def _number(value: Any, field: Field) -> Verdict:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "float_type", "Input should be a valid number"
    if not math.isfinite(value):
        return "finite_number", "Input should be a finite number"
    return _in_range(value, field)


def _integer(value: Any, field: Field) -> Verdict:
    if isinstance(value, bool) or not isinstance(value, int):
        return "int_type", "Input should be a valid integer"
    return _in_range(value, field)


def _in_range(value: float, field: Field) -> Verdict:
    if field.least is not None and value < field.least:
        return "greater_than_equal", f"Input should be greater than or equal to {field.least:g}"
    if field.most is not None and value > field.most:
        return "less_than_equal", f"Input should be less than or equal to {field.most:g}"
    return None


def _boolean(value: Any, _field: Field) -> Verdict:
    if not isinstance(value, bool):
        return "bool_type", "Input should be a valid boolean"
    return None


def _object(value: Any, _field: Field) -> Verdict:
    if not isinstance(value, dict):
        return "dict_type", "Input should be a valid dictionary"
    return None


def _array(value: Any, field: Field) -> Verdict:
    if not isinstance(value, list):
        return "list_type", "Input should be a valid list"
    if field.least is not None and len(value) < field.least:
        return "too_short", f"List should have at least {field.least:g} items"
    if field.most is not None and len(value) > field.most:
        return "too_long", f"List should have at most {field.most:g} items"
    return None


def _instant(value: Any, _field: Field) -> Verdict:
    try:
        parse_instant(value)
    except (TypeError, ValueError):
        return "datetime_from_date_parsing", "Input should be a valid datetime"
    return None


def _anything(_value: Any, _field: Field) -> Verdict:
    return None


_KINDS: dict[str, Callable[[Any, Field], Verdict]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "object": _object,
    "array": _array,
    "instant": _instant,
    "anything": _anything,
}
