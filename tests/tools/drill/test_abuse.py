"""The drill beside an abusive client: it is refused, every promise is kept."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.processes import run_command
from tests.tools.drill.worlds import FIRST, good, submit
from tools.drill.checks.abuse import ABUSE, check_response_times
from tools.drill.collect import World
from tools.drill.verifier import CHECKS


def world_of(*seconds: float) -> World:
    """Return a world in which one answer after the other took so long."""
    submits = [submit(FIRST, "1-1", "alice", {}, 1.0, seconds=[duration]) for duration in seconds]
    world = good()
    return replace(world, journal=replace(world.journal, submits=submits))


@pytest.mark.parametrize(
    ("seconds", "is_kept"),
    [([0.2] * 20, True), ([0.2] * 19 + [9.0], True), ([0.2] * 18 + [1.0, 9.0], False), ([], False)],
)
def test_it_finds_out_when_one_of_twenty_waits(seconds: list[float], is_kept: bool) -> None:
    _, faults = check_response_times(world_of(*seconds))
    assert (not faults) is is_kept


@pytest.mark.process
@pytest.mark.long
def test_it_refuses_an_abusive_client_and_keeps_every_promise(tmp_path: Path) -> None:
    folder = tmp_path / "drill"
    options = ["--clients", "5", "--abuse", "--limit", "900", "--var", str(folder)]
    command = [sys.executable, "-m", "tools.drill", *options, "100"]
    done = run_command(command, timeout=1200)

    # How long the others waited hangs on the machine: that is for the drill to say.
    report = json.loads((folder / "report.json").read_text())
    assert not report["stopped"], done.stdout + done.stderr
    assert [verdict["promise"] for verdict in report["verdicts"]] == [*CHECKS, *ABUSE]
    assert [
        verdict
        for verdict in report["verdicts"]
        if verdict["promise"] in CHECKS and verdict["faults"]
    ] == []

    answers = json.loads((folder / "abuse.json").read_text())
    refused = {name for name in answers if name.endswith((": 413", ": 429", ": 503", ": closed"))}
    attacks = {"bulk of unknown ids", "file of a stranger", "wrong password", "half-sent request"}
    assert {name.split(":")[0] for name in refused} >= attacks
