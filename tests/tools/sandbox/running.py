"""A sandbox as its own process, for every test that needs the far side of the wire.

with running_sandbox(data=folder) as box:
    box.faults([{"method": "PATCH", "status": 503, "headers": {"Retry-After": "1"}}])
    box.sdk(), box.session, box.received(method="PATCH")
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import requests

from tests.official_sdk import mixpeek
from tools.sandbox.dialect import CURRENT

ROOT = Path(__file__).resolve().parents[3]
READY = "Sandbox is ready at "


class Box:
    """A running sandbox: where it is, how to call it, what it received."""

    def __init__(self, process: subprocess.Popen[str], url: str, key: str, namespace: str) -> None:
        self.process = process
        self.url = url
        self.key = key
        self.namespace = namespace
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Authorization": f"Bearer {key}", "X-Namespace": namespace})

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request with key and namespace; `path` starts with a slash."""
        return self.session.request(method, f"{self.url}{path}", timeout=60, **options)

    def faults(self, script: Sequence[dict[str, Any]]) -> None:
        """Script the next answers (see tools/sandbox/faults.py)."""
        reply = self.session.post(f"{self.url}/_sandbox/faults", json=list(script), timeout=60)
        assert reply.status_code == 200, reply.text

    def faults_left(self) -> list[dict[str, Any]]:
        """Return the faults not used up yet."""
        left: list[dict[str, Any]] = self.call("GET", "/_sandbox/faults").json()["faults"]
        return left

    def null(self, mode: str) -> None:
        """Choose what a null in an edit does (see tools/sandbox/resources/nulls.py)."""
        reply = self.call("PUT", "/_sandbox/null", json={"mode": mode})
        assert reply.status_code == 200, reply.text

    def clear(self) -> None:
        """Forget scripted faults, the chosen null mode and received requests."""
        self.call("DELETE", "/_sandbox/faults")
        self.call("DELETE", "/_sandbox/null")
        self.call("DELETE", "/_sandbox/requests")

    def received(self, *, method: str | None = None, path: str = "") -> list[dict[str, Any]]:
        """Return the requests received, oldest first, by method and path prefix when given."""
        entries = self.call("GET", "/_sandbox/requests").json()["requests"]
        matching = []
        for entry in entries:
            is_ours = entry["namespace"] in {None, self.namespace}
            has_method = method in {None, entry["method"]}
            if is_ours and has_method and entry["path"].startswith(path):
                matching.append(entry)
        return matching

    def with_namespace(self, namespace: str, data: Path) -> Box:
        """Load a data folder into a new namespace and return a box that speaks to it."""
        self.clear()
        wish = {"namespace": namespace, "data": str(data)}
        reply = self.session.post(f"{self.url}/_sandbox/namespaces", json=wish, timeout=60)
        assert reply.status_code == 200, reply.text
        return Box(self.process, self.url, self.key, namespace)

    def sdk(self) -> mixpeek.ApiClient:
        """Return the official client, pointed here, not retrying."""
        configuration = mixpeek.Configuration(
            host=self.url,
            access_token=self.key,
            api_key={"NamespaceHeader": self.namespace},
            retries=False,
        )
        return mixpeek.ApiClient(configuration)

    def kill(self) -> None:
        """End the process as kill -9 would."""
        self.process.kill()
        self.process.wait(timeout=60)

    def stop(self) -> int:
        """End the process as an operator would and return its exit status."""
        self.session.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


class SharedSandboxes:
    """One sandbox process for each dialect, started on first use; a namespace for each caller."""

    def __init__(self, empty: Path) -> None:
        self._empty = empty
        self._running = ExitStack()
        self._by_dialect: dict[str, Box] = {}
        self._numbers = itertools.count(1)

    def namespace(self, data: Path, *, dialect: str = CURRENT) -> Box:
        """Return a box of a namespace with the data folder; forget faults and received requests."""
        if dialect not in self._by_dialect:
            sandbox = running_sandbox(self._empty, extra_args=["--dialect", dialect])
            self._by_dialect[dialect] = self._running.enter_context(sandbox)
        return self._by_dialect[dialect].with_namespace(f"ns_test_{next(self._numbers)}", data)

    def stop(self) -> None:
        """End the processes."""
        self._running.close()


@contextmanager
def running_sandbox(
    data: Path | None = None, state: Path | None = None, extra_args: Sequence[str] = ()
) -> Iterator[Box]:
    """Start `python -m tools.sandbox` on a free port and stop it at the end; None: the sample."""
    arguments = [*sandbox_command(data, state), *extra_args]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout:
            box = Box(
                process,
                _url(process.stdout, errors),
                _option(arguments, "--key", "sk_test"),
                _space(arguments),
            )
            try:
                yield box
            finally:
                box.stop()


def sandbox_command(data: Path | None, state: Path | None) -> list[str]:
    """Return the command line of a sandbox on a free port."""
    command = [sys.executable, "-m", "tools.sandbox", "--port", "0"]
    if data:
        command += ["--data", str(data)]
    if state:
        command += ["--state", str(state)]
    return command


def _url(output: IO[str], errors: IO[str]) -> str:
    for line in output:
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    errors.seek(0)
    raise AssertionError(f"The sandbox did not start: {errors.read()}")


def _space(arguments: list[str]) -> str:
    return _option(arguments, "--namespace", "ns_sample")


def _option(arguments: list[str], name: str, default: str) -> str:
    return arguments[arguments.index(name) + 1] if name in arguments else default
