"""Compare JSON values, and parse numbers without losing a digit. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from reviewapp.storable import MAX_INTEGER_DIGITS

_MAX_NUMBER_LENGTH = 60  # in error messages

Path = tuple[str | int, ...]


class UnstorableNumber(ValueError):
    """A JSON text has a number that cannot be stored exactly; `path` leads to it."""

    def __init__(self, number: str, reason: str, path: Path) -> None:
        super().__init__(f"The number {number} {reason}")
        self.number = number
        self.reason = reason
        self.path = path

    def sentence(self, place: str) -> str:
        """Return the error message for the person who entered the number into `place`."""
        return f"The number {self.number} in {place} {self.reason}"


@dataclass(frozen=True, kw_only=True)
class _Unstorable:
    """Marks the place of a number that cannot be stored in a parsed value."""

    number: str
    reason: str

    def path_in(self, value: Any) -> Path:
        """Return the path to the marker; () if a later member of the same name replaced it."""
        stack: list[tuple[Path, Any]] = [((), value)]
        while stack:
            path, current = stack.pop()
            if current is self:
                return path
            if isinstance(current, dict):
                stack.extend(((*path, key), member) for key, member in current.items())
            elif isinstance(current, list):
                stack.extend(((*path, index), member) for index, member in enumerate(current))
        return ()


def loads(
    text: str,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Return the value of a JSON text with every number exact.

    Raises `UnstorableNumber` for a number that a float cannot represent exactly, that is too large
    or no number, and for an integer of more than 1,000 digits; else what `json.loads` raises.
    """
    unstorable: list[_Unstorable] = []

    def refuse(number: str, reason: str) -> _Unstorable:
        if len(number) > _MAX_NUMBER_LENGTH:
            number = f"{number[:_MAX_NUMBER_LENGTH]}…"
        marker = _Unstorable(number=number, reason=reason)
        unstorable.append(marker)
        return marker

    def parse_float(number: str) -> Any:
        value = float(number)
        if not math.isfinite(value):
            return refuse(number, "is too large.")
        if not _is_exact(number, value):
            return refuse(number, f"cannot be stored exactly; the nearest number is {value!r}.")
        return value

    def parse_int(number: str) -> Any:
        digits = len(number.removeprefix("-"))
        if digits > MAX_INTEGER_DIGITS:
            reason = f"has {digits:,} digits; at most {MAX_INTEGER_DIGITS:,} can be stored."
            return refuse(number, reason)
        return int(number)

    def parse_constant(name: str) -> Any:
        return refuse(name, "is not a JSON number.")

    value = json.loads(
        text,
        parse_float=parse_float,
        parse_int=parse_int,
        parse_constant=parse_constant,
        object_pairs_hook=object_pairs_hook,
    )
    if unstorable:
        first = unstorable[0]
        raise UnstorableNumber(first.number, first.reason, first.path_in(value))
    return value


def _is_exact(number: str, value: float) -> bool:
    """Return whether `value` is exactly the number that is written."""
    try:
        return Decimal(number) == Decimal(repr(value))
    except InvalidOperation:
        # `Decimal` takes no exponent of twenty digits; such a number is 0 or not exact.
        digits = number.lower().partition("e")[0]
        return not digits.strip("-0.")


def finite_float(value: Any) -> float | None:
    """Return a JSON number as a float; None for another value, and for a number beyond floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def is_same_json(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal.

    Numbers are equal when their decimal spellings name the same number: 1.0 is 1, and 1e23 is the
    integer of 24 digits that jsonb makes of it. Unlike in Python, `true` is not 1. No depth of
    nesting exhausts the stack.
    """
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            if left.keys() != right.keys():
                return False
            for key, value in left.items():
                pairs.append((value, right[key]))

        elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))

        elif not is_same_scalar(left, right):
            return False
    return True


def is_deeper_than(value: Any, levels: int) -> bool:
    """Return whether objects and lists in a JSON value are nested in more than so many levels.

    A scalar has no level, `{}` has one. No depth of nesting exhausts the stack.
    """
    depth = 0
    level = [value]
    while level:
        containers = [member for member in level if isinstance(member, dict | list)]
        if not containers:
            return False
        depth += 1
        if depth > levels:
            return True

        level = []
        for container in containers:
            members = container.values() if isinstance(container, dict) else container
            level.extend(members)
    return False


def canonical(value: Any) -> Any:
    """Return a JSON value with normalized numbers: equal values have equal JSON texts."""
    if isinstance(value, Mapping):
        return {key: canonical(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(member) for member in value]
    if isinstance(value, float):
        return _as_written(value)
    return value


def number_text(value: float) -> str:
    """Return the shortest decimal that reads back as `value`: 0.5, 1e-07, 3 for 3.0."""
    return str(canonical(value))


def is_same_scalar(left: Any, right: Any) -> bool:
    """Return whether two values are equal of which one is neither an object nor a list."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) and isinstance(right, int):
        return bool(_as_written(left) == right)
    if isinstance(left, int) and isinstance(right, float):
        return bool(left == _as_written(right))
    return bool(left == right)


def _as_written(value: float) -> float | int:
    """Return the integer of a float's shortest spelling, or the float if that is no integer."""
    if not value.is_integer():
        return value
    # int(1e23) would be 99999999999999991611392; jsonb stores the digits that are written.
    return int(Decimal(repr(value)))
