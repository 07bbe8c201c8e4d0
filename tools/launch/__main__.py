"""`python -m tools.launch`, which `make run` calls: start everything, print the URL, stop."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from django.core.exceptions import ImproperlyConfigured

from reviewapp import secret_key as reviewapp_secret_key
from reviewapp.postgres import server
from reviewapp.postgres.cluster import Cluster
from reviewapp.postgres.exceptions import EmbeddedPostgresError
from reviewapp.postgres.private import make_private_folder
from tools.launch import ports
from tools.launch.config import ROOT, Plan, manage, python
from tools.launch.exceptions import CannotStart, Interrupted, LaunchError
from tools.launch.prepared_state import Prepared, fingerprint
from tools.launch.processes import Children
from tools.launch.signals import Signals, watched

_POLL_SECONDS = 2
_LEAVING_SECONDS = 15


def main() -> int:
    """Run until asked to stop; return 0 then, and 1 when something failed or ended by itself."""
    os.chdir(ROOT)
    try:
        plan = Plan.read(os.environ)
        with ExitStack() as stack:
            signals = stack.enter_context(watched())
            patience = stack.enter_context(_launch_lock(plan))
            listener = stack.enter_context(ports.listen(plan.port, patience, signals))
            _launch(plan, listener, signals)
    except Interrupted:
        _print("Stopped.")
    except (LaunchError, ImproperlyConfigured, EmbeddedPostgresError) as error:
        _print(str(error), to=2)
        return 1
    return 0


def _launch(plan: Plan, listener: socket.socket, signals: Signals) -> None:
    sandbox_port = ports.remembered(plan.var / "sandbox" / "port") if plan.sandbox else 0
    owner_url, app_url = _database_urls(plan)
    env = _environment(plan, app_url, sandbox_port)
    children = Children(signals=signals, logs=plan.var / "log", env=env)
    try:
        if plan.sandbox:
            _start_sandbox(plan, children, sandbox_port)
        sign_ins = _prepare(plan, children, owner_url, sandbox_port)
        children.start("web", plan.web_command(listener.fileno()), keep=[listener.fileno()])
        _await_sandbox(plan, children, sandbox_port)
        children.start("worker", manage("work"))
        _await_first_page(plan, children)
        _print(_welcome(plan, sign_ins))
        _wait_for_end(plan, children)
    finally:
        _print("\nStopping ...")
        children.stop("web", "worker", "prepare", "pull")
        children.stop("sandbox", "sample")
        server.leave_all()


def _database_urls(plan: Plan) -> tuple[str, str]:
    """Return the DATABASE_URL of who migrates, and that of the web server and the worker."""
    if plan.database_url:
        return plan.database_url, plan.database_url

    address = server.join(plan.var / "postgres")
    return address.url, address.app_url


def _environment(plan: Plan, database_url: str, sandbox_port: int) -> dict[str, str]:
    secret_key = plan.secret_key or reviewapp_secret_key.kept_in(plan.var / "secret_key")
    ours = plan.children_see(
        database_url=database_url,
        secret_key=secret_key,
        sandbox_port=sandbox_port,
    )
    return {"HTTPS": "off", **os.environ, **ours, "PYTHONUNBUFFERED": "1"}


def _start_sandbox(plan: Plan, children: Children, port: int) -> None:
    if plan.sandbox_data is None and not plan.sample.exists():
        unfinished = plan.sample.with_name("sample.unfinished")
        command = python("-m", "tools.sandbox.sample", str(unfinished))
        if children.run("sample", command):
            output = children.last_words("sample")
            raise CannotStart(f"The sample namespace could not be made:\n{output}")
        unfinished.rename(plan.sample)
    children.start("sandbox", plan.sandbox_command(port))


def _await_sandbox(plan: Plan, children: Children, port: int) -> None:
    if plan.sandbox:
        ports.await_listener(port, children.wait)


def _prepare(plan: Plan, children: Children, owner_url: str, sandbox_port: int) -> str:
    """Migrate and fill the database unless the last launch did; return the sign-ins."""
    note = plan.var / "prepared.json"
    previous = Prepared.kept(note)
    if previous and previous.fingerprint == fingerprint(ROOT, owner_url, plan.source):
        return previous.sign_ins

    note.unlink(missing_ok=True)
    answer = _migrate(plan, children, owner_url)
    sign_ins = str(answer["sign_ins"])
    if answer["empty"]:
        _await_sandbox(plan, children, sandbox_port)
        if not _first_pull(children):
            return sign_ins
    Prepared(sign_ins=sign_ins, fingerprint=fingerprint(ROOT, owner_url, plan.source)).keep(note)
    return sign_ins


def _migrate(plan: Plan, children: Children, owner_url: str) -> dict[str, object]:
    file = plan.var / "log" / "prepare.json"
    demo = ["--demo"] if plan.sandbox else []
    command = python("-m", "tools.launch.prepare", str(file), *demo)
    if children.run("prepare", command, env={"DATABASE_URL": owner_url}):
        output = children.last_words("prepare")
        raise CannotStart(f"The database could not be brought up to date:\n{output}")
    answer: dict[str, object] = json.loads(file.read_text())
    return answer


def _first_pull(children: Children) -> bool:
    _print("Pulling from Mixpeek for the first time ...")
    if code := children.run("pull", manage("pull"), loud=True):
        _print("The first pull failed, see above; the worker tries again every few minutes.", to=2)
    return not code


def _await_first_page(plan: Plan, children: Children) -> None:
    status = ports.await_answer(plan.port, children.wait)
    if not 200 <= status < 500:
        output = children.last_words("web")
        raise CannotStart(f"The first page failed with status {status}:\n{output}")


def _welcome(plan: Plan, sign_ins: str) -> str:
    people = f"\nSign in as one of:\n{sign_ins}\n" if sign_ins else ""
    return f"\nreviewapp is ready: {plan.url}\n{people}\nLogs: {plan.var / 'log'}   Stop: Ctrl-C"


def _wait_for_end(plan: Plan, children: Children) -> None:
    """Wait until a process ends; the database is polled, as it is no child of ours."""
    cluster = Cluster(data=plan.var / "postgres")
    while True:
        children.wait(_POLL_SECONDS)
        if not plan.database_url and cluster.running() is None:
            log = cluster.data / "server.log"
            raise CannotStart(f"The database ended, so everything was stopped; see {log}.")


@contextmanager
def _launch_lock(plan: Plan) -> Iterator[float]:
    """Hold the folder for one launch at a time; the kernel lets go when we die.

    Yields for how many seconds a busy port is worth waiting for: after a launch that was killed,
    its web server may still be on its way out.
    """
    make_private_folder(plan.var)
    with (plan.var / "launch.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise CannotStart(
                f"Port {lock.read().strip()} is in use by a reviewapp from this very folder: "
                "stop that one first, or set both PORT and VAR_DIR to run a second one."
            ) from error
        was_killed = lock.tell() > 0
        lock.truncate(0)
        lock.write(f"{plan.port}\n")
        lock.flush()
        try:
            yield _LEAVING_SECONDS if was_killed else 0
        finally:
            lock.truncate(0)


def _print(text: str, to: int = 1) -> None:
    """Write to the terminal, which may be gone; unbuffered, so nothing fails later at exit."""
    with suppress(OSError):
        os.write(to, f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
