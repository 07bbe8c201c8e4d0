"""Conditions on a document's fields, for `attribute_filter` and the `filters` of a call; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.sandbox.rules.validation import Json

_ABSENT = object()


class StageError(Exception):
    """A stage cannot run: it is unknown, or its parameters make no sense."""


def read_field(document: Json, path: str) -> Any:
    """Return the value at a dotted `path`.

    The path is looked up from the root, then under `payload`, `metadata` and `_internal`. A list on
    the way is entered by number, or by collecting the key from each of its items. Returns the
    marker that `present` knows when nothing is there.
    """
    envelopes = [document.get(key) for key in ("payload", "metadata", "_internal")]
    for start in (document, *envelopes):
        value = _descend(start, path)
        if value is not _ABSENT:
            return value
    return _ABSENT


def present(value: Any) -> bool:
    """Return whether `read_field` found something, be it null."""
    return value is not _ABSENT


def _descend(value: Any, path: str) -> Any:
    if isinstance(value, dict) and path in value:
        return value[path]
    key, _, rest = path.partition(".")
    if isinstance(value, dict) and rest and key in value:
        return _descend(value[key], rest)
    if isinstance(value, list):
        return _descend_list(value, key, rest, path)
    return _ABSENT


def _descend_list(items: list[Any], key: str, rest: str, path: str) -> Any:
    if key.isdigit():
        index = int(key)
        if index >= len(items):
            return _ABSENT
        if rest:
            return _descend(items[index], rest)
        return items[index]

    values = [_descend(item, path) for item in items]
    present_values = [value for value in values if value is not _ABSENT]
    return present_values or _ABSENT


def build_condition(parameters: Json) -> Callable[[Json], bool]:
    """Return the test a document must pass; raises `StageError` for an unknown operator."""
    if "AND" in parameters:
        all_of = _build_conditions(parameters["AND"])
        return lambda document: all(condition(document) for condition in all_of)
    if "OR" in parameters:
        any_of = _build_conditions(parameters["OR"])
        return lambda document: any(condition(document) for condition in any_of)
    if "NOT" in parameters:
        none_of = _build_conditions(parameters["NOT"])
        return lambda document: not any(condition(document) for condition in none_of)
    return _simple_condition(parameters)


def _simple_condition(parameters: Json) -> Callable[[Json], bool]:
    path = parameters.get("field")
    operator = str(parameters.get("operator", "eq")).lower()
    wanted = parameters.get("value")

    if not isinstance(path, str) or not path:
        raise StageError("attribute_filter needs a 'field'")
    if operator in {"exists", "is_null"}:
        return lambda document: _existence(operator, read_field(document, path), wanted)
    if operator not in _OPERATORS:
        known = ", ".join([*_OPERATORS, "exists", "is_null"])
        raise StageError(f"Unknown operator {operator!r}; known are {known}")
    if "value" not in parameters:
        return lambda _document: True
    compare = _OPERATORS[operator]
    return lambda document: compare(read_field(document, path), wanted)


def _existence(operator: str, value: Any, wanted: Any) -> bool:
    is_expected = wanted is not False
    if operator == "exists":
        return present(value) is is_expected
    is_null = not present(value) or value is None
    return is_null is is_expected


def _build_conditions(value: Any) -> list[Callable[[Json], bool]]:
    conditions = _as_list(value)
    if not all(isinstance(condition, dict) for condition in conditions):
        raise StageError("AND, OR and NOT take conditions, each an object")
    return [build_condition(condition) for condition in conditions]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, list) and not isinstance(wanted, list):
        return wanted in value
    return bool(value == wanted)


def _among(value: Any, wanted: Any) -> bool:
    return any(_equal(value, choice) for choice in _as_list(wanted))


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return str(wanted).casefold() in value.casefold()
    return isinstance(value, list) and wanted in value


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(value: Any, wanted: Any) -> bool:
        rank = rank_of(value)
        if rank is None or rank != rank_of(wanted):
            return False
        return compare(value, wanted)

    return ordered


def rank_of(value: Any) -> int | None:
    """Return a number that values must share to be ordered with each other; None for no order."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return 0
    if isinstance(value, str):
        return 1
    return None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda value, wanted: not _equal(value, wanted),
    "in": _among,
    "nin": lambda value, wanted: not _among(value, wanted),
    "gt": _ordered(lambda value, wanted: value > wanted),
    "gte": _ordered(lambda value, wanted: value >= wanted),
    "lt": _ordered(lambda value, wanted: value < wanted),
    "lte": _ordered(lambda value, wanted: value <= wanted),
    "contains": _contains,
}
