"""The results as Markdown: plain values in, lines out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row for one size: milliseconds, and ratios to the yardstick named and to the barest view."""

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
    return markdown(
        head,
        (
            [
                line.name, f"{line.count:,}", line.against, f"{line.bare:.1f}", f"{line.p50:.1f}", f"{line.p95:.1f}",
                f"{line.ratio:.2f}" + ("" if line.met else " (!)"), f"≤ {line.aim:g}", f"{line.view_ratio:.2f}",
            ]
            for line in lines
        ),
    )  # fmt: skip


def growth(lines: Sequence[Line], *, most: float = 1.3) -> list[str]:
    """Return how much each row grows from the smallest size to the largest, by its medians; nothing for one size."""
    sizes = sorted({line.count for line in lines})
    if len(sizes) < 2:
        return []
    p50 = {(line.name, line.count): line.p50 for line in lines}
    rows = []
    for name in dict.fromkeys(line.name for line in lines):
        first, last = p50[name, sizes[0]], p50[name, sizes[-1]]
        rows.append([name, *(f"{p50[name, size]:.1f}" for size in sizes), _grown(last / first, most)])
    return markdown(["what", *(f"{size:,}" for size in sizes), "growth"], rows)


def _grown(factor: float, most: float) -> str:
    return f"{factor:.2f}" + ("" if factor <= most else " (!)")


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
