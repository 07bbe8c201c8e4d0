"""Whatever is started with a wrong setting says so in one sentence, and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = (
    "This cannot start: MIXPEEK_TIMEOUT is 'soon', which is not a whole number from 1 to 60. "
    "For example: MIXPEEK_TIMEOUT=30\n"
)
PORT = "This cannot start: PORT is '0', which is not a whole number from 1 to 65535. For example: PORT=8000\n"
GUNICORN = [
    "-m",
    "gunicorn",
    "--no-control-socket",
    "-b",
    "127.0.0.1:0",
    "reviewapp.wsgi:application",
]
OURS = [
    "-m",
    "gunicorn",
    "-c",
    "python:reviewapp.operations.gunicorn_conf",
    "reviewapp.wsgi:application",
]


def started(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}
    }
    env = {**environment, "VAR_DIR": str(folder), "TMPDIR": str(folder), **variables}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["manage.py", "check"], 1),
        (["manage.py", "work"], 1),
        (["manage.py", "migrate"], 1),
        (OURS, 1),
        (["-c", "import reviewapp.wsgi"], 3),
    ],
)
def test_it_says_one_sentence_and_no_more(words: list[str], status: int, tmp_path: Path) -> None:
    ended = started(*words, folder=tmp_path, MIXPEEK_TIMEOUT="soon")
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", TIMEOUT)


def test_it_says_what_is_wrong_with_the_web_server(tmp_path: Path) -> None:
    ended = started(*OURS, folder=tmp_path, PORT="0")
    assert (ended.returncode, ended.stderr) == (1, PORT)
    assert [
        path.name for path in tmp_path.iterdir() if path.name.startswith("reviewapp-metrics-")
    ] == []


def test_it_does_not_start_again_and_again_under_a_gunicorn_without_our_setup(
    tmp_path: Path,
) -> None:
    ended = started(*GUNICORN, folder=tmp_path, MIXPEEK_TIMEOUT="soon")
    assert ended.returncode == 3
    assert TIMEOUT in ended.stderr
    assert "Traceback" not in ended.stderr
