"""JSON values: the one comparison that the whole project uses, and numbers that lose no digit. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# What Python reads as an integer without complaint, and what every part of us stores, sends and shows.
LONGEST_INTEGER = 1_000
_TOO_LARGE = 10**LONGEST_INTEGER
_LONGEST_SHOWN = 60

Path = tuple[str | int, ...]


class BadNumber(ValueError):
    """A JSON text holds a number that cannot be kept as it is written; `path` leads to it."""

    def __init__(self, number: str, reason: str, path: Path) -> None:
        super().__init__(f"The number {number} {reason}")
        self.number = number
        self.reason = reason
        self.path = path

    def sentence(self, place: str) -> str:
        """Return what is wrong, for whoever wrote it into `place`."""
        return f"The number {self.number} in {place} {self.reason}"


@dataclass(frozen=True, kw_only=True)
class _Unkept:
    """Stands in a parsed value for a number that cannot be kept."""

    number: str
    reason: str


def loads(text: str, *, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return the value of a JSON text, each number kept to the digit.

    Raises `BadNumber` for a number that a float cannot hold exactly, is too large or no number, and
    for an integer of more than 1,000 digits; else what `json.loads` raises.
    """
    unkept: list[_Unkept] = []

    def refuse(number: str, reason: str) -> _Unkept:
        shown = number if len(number) <= _LONGEST_SHOWN else f"{number[:_LONGEST_SHOWN]}…"
        unkept.append(_Unkept(number=shown, reason=reason))
        return unkept[-1]

    def parse_float(number: str) -> Any:
        value = float(number)
        if not math.isfinite(value):
            return refuse(number, "is too large.")
        if Decimal(number) != Decimal(repr(value)):
            return refuse(number, f"cannot be kept to the digit; {value!r} can.")
        return value

    def parse_int(number: str) -> Any:
        digits = len(number.removeprefix("-"))
        if digits > LONGEST_INTEGER:
            return refuse(number, f"has {digits:,} digits; at most {LONGEST_INTEGER:,} can be kept.")
        return int(number)

    def parse_constant(name: str) -> Any:
        return refuse(name, "is none that JSON knows.")

    value = json.loads(
        text,
        parse_float=parse_float,
        parse_int=parse_int,
        parse_constant=parse_constant,
        object_pairs_hook=object_pairs_hook,
    )
    if unkept:
        bad = unkept[0]
        raise BadNumber(bad.number, bad.reason, _path_to(bad, value))
    return value


def _path_to(bad: _Unkept, value: Any) -> Path:
    """Return the keys and positions that lead to a number, () when a later one of the same name replaced it."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, inner = waiting.pop()
        if inner is bad:
            return path
        if isinstance(inner, dict):
            waiting.extend(((*path, key), member) for key, member in inner.items())
        elif isinstance(inner, list):
            waiting.extend(((*path, at), member) for at, member in enumerate(inner))
    return ()


def storable_number(value: Any) -> Any:
    """Return a number as the database and the client can hold it, one beyond all range as a text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        return "a number too large to keep"
    return value


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal.

    Numbers are equal when their decimal spellings name the same number: 1.0 is 1, and 1e23 is the
    integer of 24 digits that jsonb makes of it. Unlike in Python, `true` is not 1. No depth of
    nesting exhausts the stack.
    """
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            if left.keys() != right.keys():
                return False
            pairs.extend((value, right[key]) for key, value in left.items())
        elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif not _same_scalar(left, right):
            return False
    return True


def canonical(value: Any) -> Any:
    """Return a JSON value with each number spelled one way, so that equal values have equal JSON texts."""
    if isinstance(value, Mapping):
        return {key: canonical(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(inner) for inner in value]
    return _number(value) if isinstance(value, float) else value


def _same_scalar(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, int):
        return bool(_number(one) == other)
    if isinstance(one, int) and isinstance(other, float):
        return bool(one == _number(other))
    return bool(one == other)


def _number(value: float) -> float | int:
    """Return the integer that a float's shortest spelling names, or the float where it names none."""
    # int(1e23) would be 99999999999999991611392; jsonb stores the digits that are written.
    return int(Decimal(repr(value))) if value.is_integer() else value
