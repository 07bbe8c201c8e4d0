"""The table that a run ends with."""

from __future__ import annotations

from typing import Any

from tools.bench import table
from tools.bench.table import Line


def line(**values: Any) -> Line:
    """Return a line that meets its aim, unless told otherwise."""
    usual: dict[str, Any] = {
        "count": 1000,
        "name": "queue",
        "against": "page",
        "aim": 2.0,
        "bare": 4.0,
        "p50": 6.0,
        "p95": 9.0,
    }
    return Line(**{**usual, "ratio": 1.5, "view_ratio": 3.0} | values)


def test_it_shows_medians_ratios_and_aims() -> None:
    head, ruler, row = table.times([line(count=1_000_000)])
    assert row == "| queue | 1,000,000 | page | 4.0 | 6.0 | 9.0 | 1.50 | ≤ 2 | 3.00 |"
    assert head.count("|") == ruler.count("|") == row.count("|")


def test_it_marks_what_misses_its_aim() -> None:
    assert "2.01 (!)" in table.times([line(ratio=2.01)])[2]
    assert "(!)" not in table.times([line(ratio=2.0)])[2]


def test_it_compares_the_smallest_size_with_the_largest() -> None:
    lines = [line(count=100, p50=2.0), line(count=1000, p50=9.0), line(count=10_000, p50=3.0)]
    assert table.growth(lines)[2] == "| queue | 2.0 | 9.0 | 3.0 | 1.50 (!) |"


def test_it_says_nothing_of_growth_with_one_size() -> None:
    assert table.growth([line()]) == []


def test_it_keeps_bars_inside_their_cell() -> None:
    assert table.markdown(["a"], [["x|y"]])[2] == "| x\\|y |"
