"""A whole launch as real processes, with a folder, a port and an empty sandbox of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from reviewapp.postgres.cluster import Cluster
from tests.operations.processes import reserved_port, until
from tests.sandbox_data import (
    annotation_json,
    document_json,
    retriever_json,
    write_data_folder,
)

ROOT = Path(__file__).resolve().parents[3]


class Launch:
    """One folder that is launched again and again; `said` is what the last launch wrote."""

    def __init__(self, home: Path, port: int) -> None:
        self.var = home / "var with a space"
        self.port = port
        self.said = ""
        self.data = home / "export"
        self.data.mkdir()
        self.write_data(count=1)
        self._process: subprocess.Popen[str] | None = None

    def write_data(self, *, count: int) -> None:
        """Write the data of the sandbox: so many annotations, all in a namespace of their own."""
        own = {"namespace_id": "ns_theirs"}
        write_data_folder(
            self.data,
            retrievers=[retriever_json(**own)],
            documents=[document_json(number, **own) for number in range(count)],
            annotations=[annotation_json(number, **own) for number in range(count)],
        )

    def start(self, stdin: int = subprocess.DEVNULL, **variables: str) -> None:
        """Launch, and return once it says how to stop it or has ended."""
        # Whoever runs the tests may ignore SIGHUP (nohup does), and a child would inherit that.
        inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.launch"],
            cwd=ROOT,
            env=self._env(variables),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        signal.signal(signal.SIGHUP, inherited)
        self.said = ""
        assert process.stdout is not None
        while "Stop: Ctrl-C" not in self.said and (line := process.stdout.readline()):
            self.said += line

    def until_said(self, words: str, *, times: int = 1) -> None:
        """Read on until the launch has said this so often; fails if it ends before."""
        assert self._process is not None
        assert self._process.stdout is not None
        while self.said.count(words) < times:
            line = self._process.stdout.readline()
            assert line, self.said
            self.said += line

    def child(self, word: str) -> int:
        """Wait for the process with this word that the launcher started itself; return its id."""
        until(lambda: bool(self._children(word)))
        return self._children(word)[0]

    def _children(self, word: str) -> list[int]:
        assert self._process is not None
        children = []
        for pid, command in self.processes().items():
            with suppress(OSError):
                # After the name in brackets: the state, and the parent.
                status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                if word in command and int(status[1]) == self._process.pid:
                    children.append(pid)
        return children

    def end(self, number: int | None = None) -> int:
        """Send a signal, if any, and return the exit code; add the rest of the output to `said`."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if number is not None:
            process.send_signal(number)
        self.said += process.communicate(timeout=120)[0]
        return process.returncode

    def page(self, path: str) -> str:
        """Return a page as a browser would get it."""
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def processes(self) -> dict[int, str]:
        """Return every living process of this folder, the database's first one too."""
        mark = f"VAR_DIR={self.var}".encode()
        commands = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    commands[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        if Cluster(data=self.postgres).running():
            commands[int((self.postgres / "postmaster.pid").read_text().split()[0])] = "postgres"
        return commands

    def kill(self, *words: str) -> None:
        """Kill the processes whose command has one of the words; all when there is none."""
        for pid, command in self.processes().items():
            if not words or any(word in command for word in words):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    @property
    def postgres(self) -> Path:
        """The folder of the database."""
        return self.var / "postgres"

    def _env(self, variables: Mapping[str, str]) -> dict[str, str]:
        theirs = {"DATABASE_URL", "SECRET_KEY", "MIXPEEK_API_KEY", "MIXPEEK_BASE_URL", "HTTPS"}
        env = {name: value for name, value in os.environ.items() if name not in theirs}
        ours = {"VAR_DIR": str(self.var), "PORT": str(self.port), "SANDBOX_DATA": str(self.data)}
        return {**env, **ours, **variables}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """A folder that the tests of one file share, so that only the first launch makes everything."""
    with reserved_port() as port:
        yield Launch(tmp_path_factory.mktemp("launch"), port)


@pytest.fixture
def launch(folder: Launch) -> Iterator[Launch]:
    """The shared folder, with nothing left running afterwards."""
    yield folder
    folder.end(signal.SIGTERM)
    folder.kill()
