"""Our own commands as real processes on the tests' database."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from reviewapp.outbox.services import wake

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0


def database_url(name: str = "") -> str:
    """Return the tests' database, or another one on its server, as a DATABASE_URL."""
    parts = {key: quote(str(value), safe="") for key, value in connection.settings_dict.items()}
    who = parts["USER"]
    if connection.settings_dict["PASSWORD"]:
        who = f"{who}:{parts['PASSWORD']}"
    return f"postgresql://{who}@/{name or parts['NAME']}?host={parts['HOST']}&port={parts['PORT']}"


def environment(**variables: str) -> dict[str, str]:
    """Return a deployment's environment on the tests' database, with plain http."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
    }
    return {
        **inherited,
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "k" * 64,
        "INSTANCE": settings.INSTANCE,
        "HTTPS": "off",
        **variables,
    }


@contextmanager
def running(
    command: Sequence[str], env: dict[str, str], *, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[str]]:
    """Start a Python command; it is killed at the end if it is still there."""
    words = [sys.executable, *command]
    with subprocess.Popen(
        words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so; fails after a minute, or when the process has ended."""
    pause = threading.Event()
    for _ in range(int(_PATIENCE / 0.05)):
        if condition():
            return
        assert process is None or process.poll() is None, process.stdout and process.stdout.read()
        pause.wait(0.05)
    if process is not None:
        process.kill()
    raise AssertionError(
        f"it never came to be; what the process said: {process and process.communicate()[0]}"
    )


def writes(process: subprocess.Popen[str], *words: str) -> bool:
    """Read a process's output until one of the texts comes; if none does, kill it: False."""
    assert process.stdout
    # Half a minute to wait for a connection to work with, and as long for one to say goodbye with.
    late = threading.Timer(2 * _PATIENCE, process.kill)
    late.start()
    pattern = re.compile("|".join(re.escape(word) for word in words))
    try:
        return any(pattern.search(line) for line in process.stdout)
    finally:
        late.cancel()


def until_at_work(worker: subprocess.Popen[str]) -> None:
    """Wait until a worker has done a job, so that it also listens to signals."""
    jobs = ProcrastinateJob.objects.filter(task_name="sync.deliver", scheduled_at=None)
    # In one transaction, so that no worker takes the job before its number is known.
    with transaction.atomic():
        wake()
        numbers = list(jobs.values_list("pk", flat=True))

    # Only these: a worker that starts also sweeps, which wakes it once more.
    awaited = jobs.filter(pk__in=numbers)
    until(lambda: not awaited.filter(status__in=["todo", "doing"]).exists(), worker)
    assert not awaited.exists(), "the job failed"


def run_command(command: list[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder to its end and return it with its output."""
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def told_to_stop(process: subprocess.Popen[str]) -> str:
    """Send SIGTERM, wait, check that it ended well, and return what it wrote."""
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, output
    return output


@contextmanager
def reserved_port() -> Iterator[int]:
    """Reserve a port of this machine for a server that sets SO_REUSEADDR, as all of ours do.

    The port stays bound meanwhile, so the system gives it to no other process and to no outgoing
    connection.
    """
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        # Only now: an address that may be reused can be given out twice.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield int(reserved.getsockname()[1])


def listens(port: int) -> bool:
    """Return whether somebody accepts connections on a port of this machine."""
    with socket.socket() as knocking:
        knocking.settimeout(2)
        return knocking.connect_ex(("127.0.0.1", port)) == 0
