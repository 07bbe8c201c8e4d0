"""The rows of the label editor, which a browser without scripts can add to, remove from and put in
order. Pure.

A row is four fields of the same names in the same order; what its button says is `up:2`, `down:2`,
`remove:2`, `add`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest

from django.http import QueryDict

from reviewapp.retrievers.guidance.labels import COLOURS, MOST_LABELS, Label
from reviewapp.web.http import parse_whole_number

_NAMES = ("value", "title", "description", "colour")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as it is shown; `wrong` says what is the matter with it."""

    value: str = ""
    title: str = ""
    description: str = ""
    colour: str = COLOURS[0]
    wrong: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed into it."""
        return not (self.value or self.title or self.description)


def rows_of(labels: Iterable[Label]) -> list[Row]:
    """Return a row for each label, and one more to fill in."""
    return [*(Row(**asdict(label)) for label in labels), Row()]


def read_label_rows(data: QueryDict) -> list[Row]:
    """Return the rows of a form; a field that is missing from one is blank."""
    columns = [data.getlist(name)[: MOST_LABELS + 1] for name in _NAMES]
    return [
        Row(**{name: (cell or "").strip() for name, cell in zip(_NAMES, cells, strict=True)})
        for cells in zip_longest(*columns)
    ]


def act(rows: Sequence[Row], said: str) -> list[Row] | None:
    """Return the rows after the button that `said` was pressed; None for one that is no row's."""
    verb, _, number = said.partition(":")
    at = parse_whole_number(number)
    if verb == "add":
        return list(rows) if any(row.is_blank for row in rows) else [*rows, Row()]
    if verb not in {"up", "down", "remove"} or at is None or at >= len(rows):
        return None
    kept = [*rows[:at], *rows[at + 1 :]]
    if verb == "remove":
        return kept or [Row()]
    to = max(at - 1, 0) if verb == "up" else at + 1
    return [*kept[:to], rows[at], *kept[to:]]


def labels(rows: Sequence[Row]) -> list[Label]:
    """Return the labels of all rows that are not blank."""
    labels = []
    for row in rows:
        if not row.is_blank:
            label = Label(
                value=row.value,
                title=row.title,
                description=row.description,
                colour=row.colour,
            )
            labels.append(label)
    return labels


def marked(rows: Sequence[Row], wrong: Mapping[int, str]) -> list[Row]:
    """Return the rows with what is wrong with them, as `labels.problems` counts them: without blank
    ones.
    """
    numbers = (at for at in range(len(rows)))
    return [
        row if row.is_blank else replace(row, wrong=wrong.get(next(numbers), "")) for row in rows
    ]
