"""The drill beside an abusive client: it passes only if nobody else waits, and every attack is answered."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reviewapp.drill.checks_abuse import answered_soon
from reviewapp.drill.evidence import World
from reviewapp.drill.journal import TURNED_DOWN
from tests.drill.worlds import FIRST, good, submit
from tests.rules.sources import ROOT


def world_of(*seconds: float) -> World:
    """Return a world in which one submit after the other took so long."""
    first = submit(FIRST, "1-1", "alice", {}, 1.0)
    submits = [replace(first, answered=first.sent + each) for each in seconds]
    world = good()
    return replace(world, journal=replace(world.journal, submits=submits))


@pytest.mark.parametrize(
    ("seconds", "is_kept"),
    [([0.2] * 20, True), ([0.2] * 19 + [9.0], True), ([0.2] * 18 + [1.0, 9.0], False), ([], False)],
)
def test_it_finds_out_when_one_of_twenty_waits(seconds: list[float], is_kept: bool) -> None:
    _, faults = answered_soon(world_of(*seconds))
    assert (not faults) is is_kept


def test_it_counts_only_what_was_acknowledged() -> None:
    world = world_of(0.2)
    (only,) = world.journal.submits
    refused = replace(world.journal, submits=[only, replace(only, outcome=TURNED_DOWN, answered=only.sent + 9)])
    assert answered_soon(replace(world, journal=refused))[1] == []


@pytest.mark.process
@pytest.mark.long
def test_others_do_not_notice_an_abusive_client(tmp_path: Path) -> None:
    folder = tmp_path / "drill"
    options = ["--clients", "5", "--abuse", "--limit", "900", "--var", str(folder)]
    command = [sys.executable, "-m", "reviewapp.drill", *options, "200"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    answers = json.loads((folder / "abuse.json").read_text())
    refused = {name for name in answers if name.endswith((": 413", ": 429", ": 503", ": 400", ": closed"))}
    assert {name.split(":")[0] for name in refused} >= {"bulk of unknown ids", "file of a stranger", "wrong password"}
