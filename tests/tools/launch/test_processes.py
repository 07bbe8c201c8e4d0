"""Processes that are killed, and processes that end by themselves."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.processes import until
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


def test_it_keeps_the_logs_of_ten_earlier_starts(children: Children, tmp_path: Path) -> None:
    for number in range(13):
        children.run("one", python("-c", f"print({number})"))
    kept = {path.name: path.read_text().strip() for path in tmp_path.iterdir()}
    assert kept == {"one.log": "12"} | {f"one.log.{n}": str(12 - n) for n in range(1, 11)}


def test_it_ends_what_a_killed_process_had_started(children: Children, signals: Signals) -> None:
    starts_another = (
        "import signal, subprocess, sys;"
        "other = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
        "print(other.pid, flush=True); signal.pause()"
    )
    children.start("one", python("-c", starts_another))
    until(lambda: children.log("one").read_text().endswith("\n"))
    other = int(children.log("one").read_text())
    os.kill(children.pid("one"), signal.SIGKILL)
    while not children.ended():
        signals.wait(1)
    until(lambda: not is_running(other))

    children.restart("one")
    until(lambda: children.log("one").read_text().endswith("\n"))
    assert children.pid("one") != other
    another = int(children.log("one").read_text())
    children.stop("one")
    until(lambda: not is_running(another))


def is_running(pid: int) -> bool:
    """Return whether a process lives; one that has ended may wait for its parent to notice."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
