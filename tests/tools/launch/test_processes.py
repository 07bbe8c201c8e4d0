"""Processes that are killed, and processes that end by themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.launch.config import python
from tools.launch.processes import Children
from tools.launch.signals import Signals, watched

pytestmark = pytest.mark.process


@pytest.fixture
def signals() -> Iterator[Signals]:
    with watched() as found:
        yield found


@pytest.fixture
def children(signals: Signals, tmp_path: Path) -> Iterator[Children]:
    made = Children(signals=signals, logs=tmp_path, env=os.environ)
    yield made
    made.stop("one", "other")


def test_it_kills_a_process_and_forgets_it(children: Children) -> None:
    children.start("one", python("-c", "import signal; signal.pause()"))
    pid = children.pid("one")
    children.kill("one")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert children.ended() == {}


def test_it_says_how_a_process_ended_once(children: Children, signals: Signals) -> None:
    children.start("one", python("-c", "raise SystemExit(3)"))
    children.start("other", python("-c", "import signal; signal.pause()"))
    found: dict[str, str] = {}
    while not found:
        signals.wait(1)
        found = children.ended()
    assert found == {"one": "exit code 3"}
    assert children.ended() == {}
