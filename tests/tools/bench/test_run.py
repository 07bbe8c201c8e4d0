"""One small run from the command to the table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.operations.processes import run_command
from tools.bench.__main__ import sizes
from tools.bench.memory import read
from tools.bench.scenarios import SCENARIOS


@pytest.mark.long
@pytest.mark.process
def test_it_loads_serves_measures_and_reports(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tools.bench",
        "--var",
        str(tmp_path),
        "--rounds",
        "2",
        "--deliveries",
        "4",
        "200",
    ]
    done = run_command(command, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert [line["name"] for line in report["lines"]] == [row.name for row in SCENARIOS]
    assert all(0 < line["p50"] <= line["p95"] and line["ratio"] > 0 for line in report["lines"])
    ways = [(run["way"], run["workers"]) for run in report["rates"]["200"]["runs"]]
    assert ways == [("in bulk", 1), ("in bulk", 2), ("one by one", 1), ("one by one", 2)]
    assert (tmp_path / "report.md").read_text() in done.stdout


@pytest.mark.parametrize(("text", "read_as"), [("10000", [10_000]), ("1_000,200", [200, 1000])])
def test_it_reads_sizes(text: str, read_as: list[int]) -> None:
    assert sizes(text) == read_as


@pytest.mark.parametrize("text", ["", "99", "1e5", "100,", "-200", "10000001"])
def test_it_refuses_other_sizes(text: str) -> None:
    with pytest.raises(Exception, match="take numbers from 100"):
        sizes(text)


def test_it_reads_what_the_kernel_says_of_memory() -> None:
    memory = read(
        7,
        "55e0-7ffd ---p 00000000 00:00 0    [rollup]\nRss:     2048 kB\nPss:     1024 kB\nPss_Dirty: 9 kB\n",
    )
    assert (memory.rss, memory.pss) == (2.0, 1.0)
