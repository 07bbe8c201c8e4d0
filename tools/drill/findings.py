"""What a check finds, and how values are compared. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.drill.collect import World


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One broken promise: about which ref or id, in which words, with what there is to see."""

    about: str
    what: str
    seen: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one check."""

    promise: str
    figure: str
    faults: list[Violation]


Check = Callable[[World], tuple[str, list[Violation]]]


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: `true` is not 1, 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
