"""The results as Markdown: plain values in, lines out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Marks what misses its aim.
_MISSED = " (!)"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row for one size: milliseconds, and ratios to its baseline and to the barest view."""

    count: int
    name: str
    against: str
    aim: float
    bare: float
    p50: float
    p95: float
    ratio: float
    view_ratio: float

    @property
    def met(self) -> bool:
        """Return whether the aim is reached."""
        return self.ratio <= self.aim


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a table; every column but the first is set to the right."""
    ruler = ["---", *("---:" for _ in head[1:])]
    return [_row(head), _row(ruler), *(_row([_cell(value) for value in row]) for row in rows)]


def times(lines: Sequence[Line]) -> list[str]:
    """Return the table of all rows and sizes."""
    head = [
        "what",
        "results",
        "yardstick",
        "its p50",
        "p50",
        "p95",
        "ratio",
        "aim",
        "to the bare view",
    ]
    rows = []
    for line in lines:
        mark = "" if line.met else _MISSED
        row = [
            line.name,
            f"{line.count:,}",
            line.against,
            f"{line.bare:.1f}",
            f"{line.p50:.1f}",
            f"{line.p95:.1f}",
            f"{line.ratio:.2f}{mark}",
            f"≤ {line.aim:g}",
            f"{line.view_ratio:.2f}",
        ]
        rows.append(row)
    return markdown(head, rows)


def growth(lines: Sequence[Line], *, most: float = 1.3) -> list[str]:
    """Return how much the median of each row grows from the smallest to the largest size.

    A factor above `most` is marked. Empty if there is one size only.
    """
    sizes = sorted({line.count for line in lines})
    if len(sizes) < 2:
        return []

    p50 = {(line.name, line.count): line.p50 for line in lines}
    rows = []
    for name in dict.fromkeys(line.name for line in lines):
        medians = [p50[name, size] for size in sizes]
        factor = medians[-1] / medians[0]
        mark = "" if factor <= most else _MISSED
        rows.append([name, *(f"{median:.1f}" for median in medians), f"{factor:.2f}{mark}"])
    return markdown(["what", *(f"{size:,}" for size in sizes), "growth"], rows)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
