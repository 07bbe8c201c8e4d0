"""Share one bundled PostgreSQL between processes: the first starts it, the last stops it.

Two files beside the data folder serve as locks. A process holds `.gate` while it starts or stops
the server. Each process holds a shared lock on `.users` for as long as it uses the server; the
kernel frees it when the process dies, however it dies. A process that leaves and can then lock
`.users` exclusively was the last.
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
class _Use:
    """That the process `pid` uses a server: `lock` is its descriptor of the file `.users`."""

    cluster: Cluster
    lock: int
    pid: int


# By data folder. A forked child inherits its parent's entries, which are not its own.
_uses: dict[Path, _Use] = {}
_uses_lock = threading.Lock()


def join(data: Path, *, durable: bool = True) -> Address:
    """Return the address of the server of the folder `data`; start the server if it is down.

    This process counts as a user of the server until it calls `leave` or ends. Joining again is
    cheap, and starts a server again that died. Raises `EmbeddedPostgresError`.
    """
    data = data.absolute()
    cluster = Cluster(data=data, durable=durable)
    with _uses_lock, _explained(data):
        use = _uses.get(data)
        has_joined = use is not None and use.pid == os.getpid()
        if has_joined:
            address = cluster.running()
            if address is not None:
                return address

        make_private_folder(data.parent)
        with _gate(data):
            if not has_joined:
                lock = _open(data, "users")
                fcntl.flock(lock, fcntl.LOCK_SH)
                _uses[data] = _Use(cluster=cluster, lock=lock, pid=os.getpid())
            return cluster.running() or cluster.start()


def leave(data: Path) -> None:
    """Stop counting as a user of the server of `data`; stop the server if this was the last."""
    data = data.absolute()
    with _uses_lock:
        use = _uses.pop(data, None)
        if use is None or use.pid != os.getpid():
            return

        os.close(use.lock)
        with _gate(data):
            if is_unused(data) and use.cluster.running():
                use.cluster.stop()


def leave_all() -> None:
    """Leave every server that this process uses; called when the process ends."""
    for data in list(_uses):
        leave(data)


atexit.register(leave_all)


@contextmanager
def _gate(data: Path) -> Iterator[None]:
    """Allow one process at a time to start or stop the server."""
    descriptor = _open(data, "gate")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_unused(data: Path) -> bool:
    """Return whether no process uses the server."""
    descriptor = _open(data, "users")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _open(data: Path, suffix: str) -> int:
    file = data.with_name(f"{data.name}.{suffix}")
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _explained(data: Path) -> Iterator[None]:
    """Raise a `PermissionError` as an `EmbeddedPostgresError` that says what to do."""
    try:
        yield
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"{error.filename or data} belongs to another user: run reviewapp as the user who ran "
            "it first, or remove the folder to start with empty data."
        ) from error
