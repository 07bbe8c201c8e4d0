"""The rows of the label editor: add, remove and sort them without scripts. Pure.

A row is four fields of the same names in the same order. The values of the buttons are `up:2`,
`down:2`, `remove:2` and `add`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest

from django.http import QueryDict

from reviewapp.naming import tidy
from reviewapp.retrievers.guidance.labels import COLOURS, MAX_LABELS, Label
from reviewapp.web.http import parse_whole_number

_NAMES = ("value", "title", "description", "colour")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the form; `error` is a sentence, or ""."""

    value: str = ""
    title: str = ""
    description: str = ""
    colour: str = COLOURS[0]
    error: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed into it."""
        return not (self.value or self.title or self.description)


def rows_of(labels: Iterable[Label]) -> list[Row]:
    """Return a row for each label, and one more to fill in."""
    return [*(Row(**asdict(label)) for label in labels), Row()]


def read_label_rows(data: QueryDict) -> list[Row]:
    """Return the rows of a form; a field that is missing from one is blank."""
    columns = [data.getlist(name)[: MAX_LABELS + 1] for name in _NAMES]
    rows = []
    for cells in zip_longest(*columns, fillvalue=""):
        texts = [tidy(cell) for cell in cells]
        rows.append(Row(**dict(zip(_NAMES, texts, strict=True))))
    return rows


def press_button(rows: Sequence[Row], button: str) -> list[Row] | None:
    """Return the rows after a button was pressed; None if it is not a button of a row."""
    action, _, number = button.partition(":")
    if action == "add":
        has_blank = any(row.is_blank for row in rows)
        if has_blank:
            return list(rows)
        return [*rows, Row()]

    index = parse_whole_number(number)
    if action not in {"up", "down", "remove"} or index is None or index >= len(rows):
        return None

    others = [*rows[:index], *rows[index + 1 :]]
    if action == "remove":
        return others or [Row()]

    target = index + 1
    if action == "up":
        target = max(index - 1, 0)
    return [*others[:target], rows[index], *others[target:]]


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


def with_errors(rows: Sequence[Row], errors: Mapping[int, str]) -> list[Row]:
    """Return the rows with their errors.

    The keys of `errors` are those of `labels.problems`, which does not count blank rows.
    """
    marked_rows = []
    index = 0
    for row in rows:
        if row.is_blank:
            marked_rows.append(row)
        else:
            marked_rows.append(replace(row, error=errors.get(index, "")))
            index += 1
    return marked_rows
