"""Conditions on a document's fields, as `attribute_filter` and the `filters` of the calls write
them; pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.sandbox.rules.validation import Json

_ABSENT = object()


class StageError(Exception):
    """A stage cannot run: it is unknown, or its parameters make no sense."""


def read_field(document: Json, path: str) -> Any:
    """Return the value at a dotted `path`: from the root, else under `payload`, `metadata`,
    `_internal`.

    A list on the way is entered by number, or by collecting the key from each of its items. Returns
    the marker that `present` knows when nothing is there.
    """
    for start in (
        document,
        document.get("payload"),
        document.get("metadata"),
        document.get("_internal"),
    ):
        found = _descend(start, path)
        if found is not _ABSENT:
            return found
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
        item = items[int(key)] if int(key) < len(items) else _ABSENT
        return _descend(item, rest) if rest and item is not _ABSENT else item
    found = [each for each in (_descend(item, path) for item in items) if each is not _ABSENT]
    return found or _ABSENT


def build_condition(parameters: Json) -> Callable[[Json], bool]:
    """Return the test a document must pass; raises `StageError` for an operator that is not one of
    ours.
    """
    for key, combine in (("AND", all), ("OR", any)):
        if key in parameters:
            parts = [build_condition(part) for part in _conditions(parameters[key])]
            return lambda document: combine(part(document) for part in parts)
    if "NOT" in parameters:
        nots = [build_condition(part) for part in _conditions(parameters["NOT"])]
        return lambda document: not any(part(document) for part in nots)
    return _simple_condition(parameters)


def _simple_condition(parameters: Json) -> Callable[[Json], bool]:
    path, operator = parameters.get("field"), str(parameters.get("operator", "eq")).lower()
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


def _existence(operator: str, found: Any, wanted: Any) -> bool:
    meets = present(found) if operator == "exists" else (not present(found) or found is None)
    return meets if wanted is not False else not meets


def _conditions(value: Any) -> list[Json]:
    conditions = _listed(value)
    if not all(isinstance(each, dict) for each in conditions):
        raise StageError("AND, OR and NOT take conditions, each an object")
    return conditions


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, list) and not isinstance(wanted, list):
        return wanted in found
    return bool(found == wanted)


def _among(found: Any, wanted: Any) -> bool:
    return any(_equal(found, each) for each in _listed(wanted))


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, str):
        return str(wanted).casefold() in found.casefold()
    return isinstance(found, list) and wanted in found


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(found: Any, wanted: Any) -> bool:
        return rank_of(found) == rank_of(wanted) is not None and compare(found, wanted)

    return ordered


def rank_of(value: Any) -> int | None:
    """Return a number that values must share to be ordered with each other, None when they have no
    order.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return 0
    return 1 if isinstance(value, str) else None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda found, wanted: not _equal(found, wanted),
    "in": _among,
    "nin": lambda found, wanted: not _among(found, wanted),
    "gt": _ordered(lambda found, wanted: found > wanted),
    "gte": _ordered(lambda found, wanted: found >= wanted),
    "lt": _ordered(lambda found, wanted: found < wanted),
    "lte": _ordered(lambda found, wanted: found <= wanted),
    "contains": _contains,
}
