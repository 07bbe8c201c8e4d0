"""Share one bundled PostgreSQL between processes: the first starts it, the last one out stops it.

Two files beside the data folder do it. `.gate` is locked while somebody starts or stops. `.users`
is locked, shared, by every process for as long as it uses the server; the kernel lets go when a
process dies, however it dies. Whoever leaves and can then lock `.users` alone was the last.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reviewapp.postgres.cluster import Address, Cluster
from reviewapp.postgres.exceptions import EmbeddedPostgresError
from reviewapp.postgres.private import make_private_folder


@dataclass(frozen=True, kw_only=True)
class _Hold:
    cluster: Cluster
    users: int
    pid: int


_holds: dict[Path, _Hold] = {}
_threads = threading.Lock()


def join(data: Path, *, durable: bool = True) -> Address:
    """Return where the server of the folder `data` listens, starting it when it is down.

    This process counts as a user of the server until `leave` or its end. Joining again is cheap,
    and brings a server that died in between back. Raises `EmbeddedPostgresError`.
    """
    data = data.absolute()
    cluster = Cluster(data=data, durable=durable)
    with _threads, _explained(data):
        hold = _holds.get(data)
        if hold and hold.pid == os.getpid() and (address := cluster.running()):
            return address
        make_private_folder(data.parent)
        with _gate(data):
            if not hold or hold.pid != os.getpid():
                _holds[data] = _Hold(cluster=cluster, users=_enter(data), pid=os.getpid())
            return cluster.running() or cluster.start()


def leave(data: Path) -> None:
    """Stop counting as a user of the server of `data`, and stop it when nobody else is one."""
    data = data.absolute()
    with _threads:
        hold = _holds.pop(data, None)
        if hold is None or hold.pid != os.getpid():  # a forked child leaves its parent's hold alone
            return
        os.close(hold.users)
        with _gate(data):
            if _nobody_uses(data) and hold.cluster.running():
                hold.cluster.stop()


def leave_all() -> None:
    """Leave every server this process uses; runs by itself when the process ends."""
    for data in list(_holds):
        leave(data)


atexit.register(leave_all)


@contextmanager
def _gate(data: Path) -> Iterator[None]:
    handle = _open(data, "gate")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _enter(data: Path) -> int:
    handle = _open(data, "users")
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def _nobody_uses(data: Path) -> bool:
    handle = _open(data, "users")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _open(data: Path, suffix: str) -> int:
    return os.open(
        data.with_name(f"{data.name}.{suffix}"),
        os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
        0o600,
    )


@contextmanager
def _explained(data: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"{error.filename or data} belongs to another user: run reviewapp as the user who ran it first, "
            "or remove the folder to start with empty data."
        ) from error
