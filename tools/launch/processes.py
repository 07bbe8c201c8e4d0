"""The processes of one launch: each has a log; all are watched together and stopped in order.

Each has a session of its own, so that Ctrl-C in the terminal reaches only the launcher. On Linux,
the kernel sends each a SIGTERM when the launcher dies, however it dies.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from reviewapp.postgres.private import make_private_folder, open_private_file
from tools.launch.exceptions import ChildEnded
from tools.launch.signals import Signals

_STOP_SECONDS = 35  # the worker lets jobs under way finish, for at most 30
# Logs of earlier starts, of each process.
_KEPT_LOGS = 10
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Children:
    """Processes by name; `logs` is the folder their output goes to, `env` what they all see."""

    def __init__(self, *, signals: Signals, logs: Path, env: Mapping[str, str]) -> None:
        self._signals = signals
        self._logs = logs
        self._env = dict(env)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._starts: dict[str, Callable[[], None]] = {}
        make_private_folder(logs)

    def set_variable(self, name: str, value: str) -> None:
        """Set an environment variable of all processes that are started from now on."""
        self._env[name] = value

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        loud: bool = False,
        keep: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start a process; its output goes to its log, or to our own terminal when `loud`.

        `env` is for this process alone, over what they all see.
        """
        self._starts[name] = partial(self.start, name, command, loud=loud, keep=keep, env=env)
        log = self.log(name)
        _rotate(log)

        child_env = self._env | dict(env or {})
        with open_private_file(log) as file:
            stdout: IO[bytes] | None = file
            stderr: int | None = subprocess.STDOUT
            if loud:
                stdout = None
                stderr = None
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own modules, no shell
                command,
                env=child_env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=keep,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - the launcher has a single thread
            )

    def restart(self, name: str) -> None:
        """Start a process that has ended as it was started before."""
        self._starts[name]()

    def run(
        self,
        name: str,
        command: Sequence[str],
        *,
        loud: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Run a process to its end and return its exit code, while watching everything else."""
        self.start(name, command, loud=loud, env=env)
        process = self._running[name]
        while process.poll() is None:
            self.wait(60, but=name)
        del self._running[name]
        return process.returncode

    def wait(self, timeout: float, *sockets: int, but: str = "") -> bool:
        """Sleep as `Signals.wait` does; raises `ChildEnded` if a process but `but` has ended."""
        readable = self._signals.wait(timeout, *sockets)
        for name, process in self._running.items():
            if name == but or process.poll() is None:
                continue
            end = f"The {name} process ended ({_describe_exit(process.returncode)})"
            output = f"Its last words, from {self.log(name)}:\n{self.log_tail(name)}"
            raise ChildEnded(f"{end}, so everything was stopped. {output}")
        return readable

    def stop(self, *names: str) -> None:
        """Terminate the named processes, all at once, and wait; kill those that take too long."""
        stopping = [self._running.pop(name) for name in names if name in self._running]
        for process in stopping:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in stopping:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def kill(self, name: str) -> None:
        """End a process and all it started as `kill -9` would, and forget it."""
        process = self._running.pop(name)
        _signal_group(process, signal.SIGKILL)
        process.wait()

    def ended(self) -> dict[str, str]:
        """Return how each process that ended by itself did so ("exit code 1"), and forget it.

        What it had started is asked to end: a web server's processes finish their requests.
        """
        ends = {}
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                _signal_group(process, signal.SIGTERM)
                ends[name] = _describe_exit(process.returncode)
                del self._running[name]
        return ends

    def pid(self, name: str) -> int:
        """Return the process id of a running process."""
        return self._running[name].pid

    def log(self, name: str) -> Path:
        """Return the file with the output of a process."""
        return self._logs / f"{name}.log"

    def log_tail(self, name: str) -> str:
        """Return the last lines of a process's log, indented."""
        lines = self.log(name).read_text(errors="replace").splitlines()[-12:]
        return "\n".join(f"    {line}" for line in lines)


def _rotate(log: Path) -> None:
    """Rename a log to `.log.1`, that one to `.log.2`, and so on; the oldest is dropped."""
    if not log.exists():
        return
    log.chmod(0o600)
    for number in range(_KEPT_LOGS - 1, 0, -1):
        older = log.with_suffix(f".log.{number}")
        if older.exists():
            older.replace(log.with_suffix(f".log.{number + 1}"))
    log.replace(log.with_suffix(".log.1"))


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and all it started, also after it has ended itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _describe_exit(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exit code {exit_code}"
    return f"killed by {signal.Signals(-exit_code).name}"


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
