"""Read the first rows of a list of the queue, of all of it or of a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reviewapp.annotations.queue.conditions import all_of, is_of_one_person
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.ordering import (
    after_start,
    order_by,
    position_parameters,
    up_to_end,
)
from reviewapp.postgres.statement import Statement, sql_file

Row = TypeVar("Row")

KEYS = sql_file(__file__, "keys.sql", int)


@dataclass(frozen=True, kw_only=True)
class ListQuery(Generic[Row]):
    """A list in an order, of which at most `limit` rows are read.

    `statement` reads them; it has the places `{condition}`, `{order}` and `{limit}`. `pieces` are
    those of the condition (`conditions.py`), without the search words of `filters`, and
    `parameters` their values.
    """

    statement: Statement[Row]
    filters: QueueFilter
    pieces: Sequence[str]
    parameters: Mapping[str, Any]
    ordering: tuple[str, ...]
    limit: int

    def rows(
        self,
        *,
        after: Sequence[Any] = (),
        up_to: Sequence[Any] = (),
        also: Sequence[str] = (),
        keys: Sequence[int] = (),
        is_sorted: bool = False,
    ) -> list[Row]:
        """Return the first rows after a position and up to another one, if they are passed.

        `also` are further pieces; `keys` is their parameter. `is_sorted` is as in `order_by`.
        """
        pieces = [*self.pieces, *also]
        parameters = {**self.parameters, "keys": list(keys)}
        if after:
            pieces.append(after_start(self.ordering))
            parameters |= position_parameters("start", self.ordering, after)
        if up_to:
            pieces.append(up_to_end(self.ordering))
            parameters |= position_parameters("end", self.ordering, up_to)

        is_sorted = is_sorted or is_of_one_person(self.filters)
        statement = self.statement.with_pieces(
            condition=all_of(pieces),
            order=order_by(self.ordering, is_sorted=is_sorted),
            limit=str(self.limit),
        )
        return statement.rows(**parameters)
