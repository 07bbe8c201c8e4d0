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
    """Return a table; all columns but the first are aligned to the right."""
    ruler = ["---"]
    ruler += ["---:"] * (len(head) - 1)
    lines = [_row(head), _row(ruler)]
    for row in rows:
        cells = [str(value).replace("|", "\\|") for value in row]
        lines.append(_row(cells))
    return lines


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
        mark = _MISSED
        if line.met:
            mark = ""
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

    medians: dict[str, dict[int, float]] = {}
    for line in lines:
        medians.setdefault(line.name, {})[line.count] = line.p50

    rows = []
    for name, by_size in medians.items():
        factor = by_size[sizes[-1]] / by_size[sizes[0]]
        growth_text = f"{factor:.2f}"
        if factor > most:
            growth_text += _MISSED
        cells = [f"{by_size[size]:.1f}" for size in sizes]
        rows.append([name, *cells, growth_text])

    head = [f"{size:,}" for size in sizes]
    return markdown(["what", *head, "growth"], rows)


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
