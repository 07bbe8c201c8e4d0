"""`python -m tools.launch`, which `make run` calls: start everything, print the URL, stop."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from django.core.exceptions import ImproperlyConfigured

from reviewapp import secret_key as reviewapp_secret_key
from reviewapp.postgres import server
from reviewapp.postgres.cluster import Cluster
from reviewapp.postgres.exceptions import EmbeddedPostgresError
from reviewapp.postgres.private import make_private_folder
from tools.launch import ports
from tools.launch.config import ROOT, Plan, manage, python
from tools.launch.data_namespace import read_data
from tools.launch.exceptions import CannotStart, ChildEnded, Interrupted, LaunchError
from tools.launch.prepared_state import Prepared, fingerprint
from tools.launch.processes import Children
from tools.launch.restarts import MAX_RESTARTS, WINDOW_SECONDS, Restarts
from tools.launch.signals import Signals, watched

_POLL_SECONDS = 2
_LEAVING_SECONDS = 15
_DESCRIPTION = """\
Prepare the database, start the web server and the worker, print the URL, and stop everything on
Ctrl-C. Without MIXPEEK_API_KEY, a local sandbox stands in for Mixpeek, with sample data and demo
people."""
_SETTINGS = """\
settings, all from the environment:
  PORT             the port of the web server (8000)
  HOST             its address (this machine only: 127.0.0.1 and ::1)
  VAR_DIR          the folder for the database, the secret key and the logs (var)
  DATABASE_URL     a PostgreSQL server instead of the bundled one
  MIXPEEK_API_KEY  use Mixpeek instead of the sandbox; needs MIXPEEK_NAMESPACE
  SANDBOX_DATA     a folder of data for the sandbox instead of the sample

docs/settings.md lists all settings."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until asked to stop; return 0 then, and 1 when something failed or ended by itself."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.launch",
        description=_DESCRIPTION,
        epilog=_SETTINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)

    os.chdir(ROOT)
    try:
        plan = Plan.read(os.environ)
        with ExitStack() as stack:
            signals = stack.enter_context(watched())
            patience = stack.enter_context(_launch_lock(plan))
            listeners = ports.listen(plan.host, plan.port, patience, signals)
            for listener in listeners:
                stack.enter_context(listener)
            _launch(plan, listeners, signals)
    except Interrupted:
        _print("Stopped.")
    except (LaunchError, ImproperlyConfigured, EmbeddedPostgresError) as error:
        _print(str(error), to=2)
        return 1
    return 0


def _launch(plan: Plan, listeners: Sequence[socket.socket], signals: Signals) -> None:
    sandbox_port = 0
    if plan.sandbox:
        sandbox_port = ports.choose_port(plan.var / "sandbox" / "port")
    owner_url, app_url = _database_urls(plan)
    env = _child_environment(plan, app_url, sandbox_port)

    children = Children(signals=signals, logs=plan.var / "log", env=env)
    try:
        if plan.sandbox:
            _start_sandbox(plan, children, sandbox_port)
            _use_namespace_of_data(plan, children, sandbox_port)
        sign_ins, is_pulled = _prepare(plan, children, owner_url, sandbox_port)
        descriptors = [listener.fileno() for listener in listeners]
        children.start("web", plan.web_command(descriptors), keep=descriptors)
        _await_sandbox(plan, children, sandbox_port)
        children.start("worker", manage("work"))
        _await_first_page(plan, children)
        _print(_welcome(plan, sign_ins))
        if not is_pulled:
            children.start("pull", manage("pull"))
        _keep_running(plan, children, signals)
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


def _child_environment(plan: Plan, database_url: str, sandbox_port: int) -> dict[str, str]:
    secret_key = plan.secret_key or reviewapp_secret_key.read_or_create(plan.var / "secret_key")
    variables = plan.child_variables(
        database_url=database_url,
        secret_key=secret_key,
        sandbox_port=sandbox_port,
    )
    return {"HTTPS": "off", **os.environ, **variables, "PYTHONUNBUFFERED": "1"}


def _start_sandbox(plan: Plan, children: Children, port: int) -> None:
    if plan.sandbox_data is None and not plan.sample.exists():
        unfinished = plan.sample.with_name("sample.unfinished")
        command = python("-m", "tools.sandbox.sample", str(unfinished))
        exit_code = children.run("sample", command)
        if exit_code != 0:
            output = children.log_tail("sample")
            raise CannotStart(f"The sample namespace could not be made:\n{output}")
        unfinished.rename(plan.sample)
    children.start("sandbox", plan.sandbox_command(port))


def _use_namespace_of_data(plan: Plan, children: Children, port: int) -> None:
    """Let all processes use the namespace of the person's own data, and say what is left out."""
    if plan.sandbox_data is None:
        return
    _await_sandbox(plan, children, port)
    data = read_data(port)
    namespace = data.choose(plan.namespace)
    children.set_variable("MIXPEEK_NAMESPACE", namespace)
    left_out = data.describe_left_out(namespace, plan.namespace)
    if left_out:
        _print(left_out)


def _await_sandbox(plan: Plan, children: Children, port: int) -> None:
    if plan.sandbox:
        ports.await_listener(port, children.wait)


def _prepare(
    plan: Plan,
    children: Children,
    owner_url: str,
    sandbox_port: int,
) -> tuple[str, bool]:
    """Migrate and fill the database unless the last launch did.

    Returns the sign-ins, and whether everything was pulled just now.
    """
    note = plan.var / "prepared.json"
    previous = Prepared.load(note)
    if previous and previous.fingerprint == fingerprint(ROOT, owner_url, plan.source):
        return previous.sign_ins, False

    note.unlink(missing_ok=True)
    state = _migrate(plan, children, owner_url)
    sign_ins = str(state["sign_ins"])
    is_empty = bool(state["empty"])
    if is_empty:
        _await_sandbox(plan, children, sandbox_port)
        if not _pull_first_time(children):
            return sign_ins, True

    # The migrations have changed the fingerprint.
    current = fingerprint(ROOT, owner_url, plan.source)
    Prepared(sign_ins=sign_ins, fingerprint=current).save(note)
    return sign_ins, is_empty


def _migrate(plan: Plan, children: Children, owner_url: str) -> dict[str, object]:
    """Run `tools.launch.prepare` and return the object that it writes."""
    file = plan.var / "log" / "prepare.json"
    command = python("-m", "tools.launch.prepare", str(file))
    if plan.sandbox:
        command.append("--demo")

    exit_code = children.run("prepare", command, env={"DATABASE_URL": owner_url})
    if exit_code != 0:
        output = children.log_tail("prepare")
        raise CannotStart(f"The database could not be brought up to date:\n{output}")
    state: dict[str, object] = json.loads(file.read_text())
    return state


def _pull_first_time(children: Children) -> bool:
    _print("Pulling from Mixpeek for the first time ...")
    exit_code = children.run("pull", manage("pull"), loud=True)
    if exit_code != 0:
        _print("The first pull failed, see above; the worker tries again every few minutes.", to=2)
    return exit_code == 0


def _await_first_page(plan: Plan, children: Children) -> None:
    status = ports.await_first_response(plan.own_host, plan.port, children.wait)
    if not 200 <= status < 500:
        output = children.log_tail("web")
        raise CannotStart(f"The first page failed with status {status}:\n{output}")


def _welcome(plan: Plan, sign_ins: str) -> str:
    people = ""
    if sign_ins:
        people = f"\nSign in as one of:\n{sign_ins}\n"
    return f"\nreviewapp is ready: {plan.url}\n{people}\nLogs: {plan.var / 'log'}   Stop: Ctrl-C"


def _keep_running(plan: Plan, children: Children, signals: Signals) -> None:
    """Start again what ends, until we are asked to stop or it ends too often.

    The database is polled, because it is not a child of this process.
    """
    cluster = Cluster(data=plan.var / "postgres")
    restarts = Restarts()
    while True:
        signals.wait(_POLL_SECONDS)
        for name, end in children.ended().items():
            if name == "pull":
                _describe_pull(children, end)
            elif restarts.allow(name, time.monotonic()):
                _print(f"The {name} process ended ({end}) and is started again.")
                children.restart(name)
            else:
                raise ChildEnded(_describe_giving_up(children, name, end))

        if not plan.database_url and cluster.running() is None:
            log = cluster.data / "server.log"
            raise CannotStart(f"The database ended, so everything was stopped; see {log}.")


def _describe_pull(children: Children, end: str) -> None:
    if end != "exit code 0":
        log = children.log("pull")
        _print(f"The pull failed ({end}), see {log}; the worker tries again every few minutes.")


def _describe_giving_up(children: Children, name: str, end: str) -> str:
    minutes = round(WINDOW_SECONDS / 60)
    return (
        f"The {name} process ended again ({end}), after {MAX_RESTARTS} restarts within {minutes} "
        f"minutes, so everything was stopped. Its last words, from {children.log(name)}:\n"
        f"{children.log_tail(name)}"
    )


@contextmanager
def _launch_lock(plan: Plan) -> Iterator[float]:
    """Allow one launch at a time in the folder; the kernel frees the lock when the process dies.

    Yields how many seconds to wait for a busy port: after a launch that was killed, its web server
    may still be stopping.
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
        patience = 0
        if was_killed:
            patience = _LEAVING_SECONDS
        try:
            yield patience
        finally:
            lock.truncate(0)


def _print(text: str, to: int = 1) -> None:
    """Write to the terminal unbuffered, so that a terminal that is gone fails nothing at exit."""
    with suppress(OSError):
        os.write(to, f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
