"""The ports of a launch: the web server's, which listens first, and the sandbox's."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tools.launch.exceptions import CannotStart
from tools.launch.signals import Signals

_HOST = "127.0.0.1"


def listen(port: int, patience: float, signals: Signals) -> socket.socket:
    """Return a listening socket for the web server; wait up to `patience` seconds for the port.

    Raises `CannotStart` when the port is not to be had.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return _bind(port, backlog=128)
        except OSError as error:
            is_busy = error.errno == errno.EADDRINUSE
            if not is_busy or time.monotonic() >= deadline:
                raise CannotStart(_describe_refusal(port, error)) from error
        signals.wait(0.1)


def choose_port(file: Path) -> int:
    """Return the port noted in `file`; note another one there first if it is not free.

    The port is free when this returns. It is bound again later, by the process that listens.
    """
    noted = ""
    if file.exists():
        noted = file.read_text().strip()
    candidates = [0]
    if noted.isdigit():
        candidates.insert(0, int(noted))

    for candidate in candidates:
        try:
            with _bind(candidate, backlog=None) as bound:
                port = int(bound.getsockname()[1])
        except OSError:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{port}\n")
        return port
    raise CannotStart("This machine has no free port for the sandbox.")


def await_listener(port: int, wait: Callable[[float], object]) -> None:
    """Return when a process listens on `port`; `wait` sleeps in between, or raises to give up."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return
        wait(0.05)


def await_first_response(port: int, wait: Callable[[float, int], bool]) -> int:
    """Request the first page and return its status, 0 for none; `wait` sleeps until a response."""
    with socket.create_connection((_HOST, port)) as connection:
        request = f"GET / HTTP/1.0\r\nHost: {_HOST}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        while not wait(60, connection.fileno()):
            pass
        status_line = connection.recv(200).split(maxsplit=2)

    if len(status_line) > 1 and status_line[1].isdigit():
        return int(status_line[1])
    return 0


def _describe_refusal(port: int, error: OSError) -> str:
    reason = f"not available ({error.strerror})"
    if error.errno == errno.EADDRINUSE:
        reason = "in use"
    other = 8000
    if 1023 < port < 65535:
        other = port + 1
    example = f"`PORT={other} make run`"
    return f"Port {port} is {reason}: choose another with the PORT setting, such as {example}."


def _bind(port: int, *, backlog: int | None) -> socket.socket:
    """Return a socket bound to the port (0: any); it listens unless `backlog` is None."""
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((_HOST, port))
        if backlog is not None:
            bound.listen(backlog)
    except OSError:
        bound.close()
        raise
    return bound
