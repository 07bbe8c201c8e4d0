"""The data folder and the logs in it are for whoever runs reviewapp, and for nobody else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewapp import secret_key
from reviewapp.postgres.private import make_private_folder, open_private_file
from tools.launch.config import python
from tools.launch.processes import Children
from tools.launch.signals import watched


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def lax_umask() -> Iterator[None]:
    """A shell that lets everybody read what it makes, as most do."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_it_makes_the_folder_of_the_secret_private(tmp_path: Path) -> None:
    secret_key.read_or_create(tmp_path / "var" / "secret_key")
    assert mode(tmp_path / "var") == 0o700
    assert mode(tmp_path / "var" / "secret_key") == 0o600


def test_it_closes_a_folder_that_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    folder.chmod(0o777)
    make_private_folder(folder)
    assert not mode(folder) & 0o007
    assert mode(folder) & 0o700 == 0o700


def test_it_leaves_a_folder_that_all_share(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    make_private_folder(folder)
    assert mode(folder) == 0o1777


def test_it_closes_a_file_that_was_open(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_text("earlier")
    file.chmod(0o644)
    with open_private_file(file) as out:
        out.write(b"now")
    assert file.read_text() == "now"
    assert mode(file) == 0o600


@pytest.mark.process
def test_it_keeps_the_logs_of_a_launch_private(tmp_path: Path) -> None:
    logs = tmp_path / "var" / "log"
    logs.mkdir(parents=True)
    earlier = logs / "web.log"
    earlier.write_text("a link")
    earlier.chmod(0o644)

    with watched() as signals:
        children = Children(signals=signals, logs=logs, env=os.environ)
        assert children.run("web", python("-c", "print('hello')")) == 0

    assert earlier.read_text() == "hello\n"
    assert {file.name: oct(mode(file)) for file in logs.iterdir()} == {
        "web.log": "0o600",
        "web.log.1": "0o600",
    }
    assert not mode(logs) & 0o007
