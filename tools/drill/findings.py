"""The results of the drill's checks, and how values are compared. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.drill.collect import World


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A broken promise: the `problem` as a sentence, and as `evidence` the values to show.

    `about` is a ref or an id.
    """

    about: str
    problem: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of one check."""

    promise: str
    figure: str
    faults: list[Violation]


Check = Callable[[World], tuple[str, list[Violation]]]


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: `true` is not 1, 1.0 is 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right

    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        return all(same(value, right[key]) for key, value in left.items())

    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        return all(map(same, left, right))

    return bool(left == right)
