"""The orders of the queue as pieces of SQL: ORDER BY, and where in the order a page starts.

All columns of an order have the same direction and no nulls, and the last one is unique. So "after
this row" is one comparison of rows, and one position in the order's index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

# The columns that lists are ordered by, and the types of their values.
COLUMN_TYPES: Mapping[str, type] = {
    "id": int,
    "sureness": float,
    "relevance": float,
    "settled_at": datetime,
    "decided_at": datetime,
}


def order_by(ordering: Sequence[str], *, is_sorted: bool = False) -> str:
    """Return what follows ORDER BY.

    With `is_sorted` it is one expression, which no index has: PostgreSQL reads all rows of the
    condition and sorts them, instead of reading along an index of the order.
    """
    if is_sorted:
        direction = "DESC" if ordering[0].startswith("-") else "ASC"
        return f"ROW({columns(ordering)}) {direction}"

    terms = []
    for name in ordering:
        direction = "DESC" if name.startswith("-") else "ASC"
        terms.append(f"{_column(name)} {direction}")
    return ", ".join(terms)


def columns(ordering: Sequence[str]) -> str:
    """Return the columns of an order: its position, if they are selected."""
    return ", ".join(_column(name) for name in ordering)


def after_start(ordering: Sequence[str]) -> str:
    """Return the condition for the rows after the position `start` (`position_parameters`)."""
    comparison = "<" if ordering[0].startswith("-") else ">"
    return f"ROW({columns(ordering)}) {comparison} ROW({_position('start', ordering)})"


def up_to_end(ordering: Sequence[str]) -> str:
    """Return the condition for the row at the position `end` and all before it."""
    comparison = ">=" if ordering[0].startswith("-") else "<="
    return f"ROW({columns(ordering)}) {comparison} ROW({_position('end', ordering)})"


def position_parameters(
    side: str,
    ordering: Sequence[str],
    values: Sequence[Any],
) -> dict[str, Any]:
    """Return the parameters of the position `side`, "start" or "end", with these values."""
    parameters = {}
    for name, value in zip(ordering, values, strict=True):
        parameters[f"{side}_{name.lstrip('-')}"] = value
    return parameters


def _column(name: str) -> str:
    return f"annotations_annotation.{name.lstrip('-')}"


def _position(side: str, ordering: Sequence[str]) -> str:
    return ", ".join(f"%({side}_{name.lstrip('-')})s" for name in ordering)
