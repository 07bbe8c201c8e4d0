"""Equality of JSON values: the one comparison that the whole project uses. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


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
