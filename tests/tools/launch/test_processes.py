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
    with watched() as caught:
        yield caught


@pytest.fixture
def children(signals: Signals, tmp_path: Path) -> Iterator[Children]:
    running = Children(signals=signals, logs=tmp_path, env=os.environ)
    yield running
    running.stop("one", "other")


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
    endings: dict[str, str] = {}
    while not endings:
        signals.wait(1)
        endings = children.ended()
    assert endings == {"one": "exit code 3"}
    assert children.ended() == {}
