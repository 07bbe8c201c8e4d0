"""A short drill with real processes and every kind of fault loses nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.operations.processes import run_command
from tests.proofs import long
from tools.drill.plan import planned_faults
from tools.drill.verifier import CHECKS

pytestmark = pytest.mark.process

SEED = 11


@pytest.mark.parametrize("submits", [120, long(500)])
def test_it_loses_nothing(tmp_path: Path, submits: int) -> None:
    options = [
        "--seed",
        str(SEED),
        "--clients",
        "10",
        "--limit",
        "1500",
        "--var",
        str(tmp_path / "drill"),
    ]
    command = [sys.executable, "-m", "tools.drill", *options, str(submits)]
    done = run_command(command, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "drill" / "report.json").read_text())
    assert report["passed"]
    assert [verdict["promise"] for verdict in report["verdicts"]] == list(CHECKS)
    assert (tmp_path / "drill" / "report.md").read_text() in done.stdout
    # A fault may find its target already down; nearly all of them are injected.
    planned_kinds = {fault.kind for fault in planned_faults(SEED, submits=submits)}
    assert len(report["fault_counts"]) > len(planned_kinds) / 2
    steps = (tmp_path / "drill" / "journal.jsonl").read_text().count('{"kind": "step"')
    assert steps == submits


@pytest.mark.long
def test_it_fails_when_there_is_no_time(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tools.drill",
        "--limit",
        "0.1",
        "--clients",
        "2",
        "--var",
        str(tmp_path / "d"),
    ]
    done = run_command([*command, "20"], timeout=600)
    assert done.returncode == 1
    assert "**Failed.**" in (tmp_path / "d" / "report.md").read_text()
