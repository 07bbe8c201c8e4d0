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
    until = time.monotonic() + patience
    while True:
        try:
            return _bound(port, backlog=128)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= until:
                raise CannotStart(_refusal(port, error)) from error
        signals.wait(0.1)


def remembered(file: Path) -> int:
    """Return the free port noted in `file`, or note another one there when it is taken."""
    wanted = file.read_text().strip() if file.exists() else ""
    for port in (int(wanted) if wanted.isdigit() else 0, 0):
        try:
            with _bound(port, backlog=None) as found:
                number = int(found.getsockname()[1])
        except OSError:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n")
        return number
    raise CannotStart("This machine has no free port for the sandbox.")


def await_listener(port: int, wait: Callable[[float], object]) -> None:
    """Return when a process listens on `port`; `wait` sleeps in between, or raises to give up."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return
        wait(0.05)


def await_answer(port: int, wait: Callable[[float, int], bool]) -> int:
    """Request the first page and return its status, 0 for none; `wait` sleeps until a response."""
    with socket.create_connection((_HOST, port)) as asking:
        asking.sendall(f"GET / HTTP/1.0\r\nHost: {_HOST}\r\nConnection: close\r\n\r\n".encode())
        while not wait(60, asking.fileno()):
            pass
        words = asking.recv(200).split(maxsplit=2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _refusal(port: int, error: OSError) -> str:
    why = "in use" if error.errno == errno.EADDRINUSE else f"not available ({error.strerror})"
    other = port + 1 if 1023 < port < 65535 else 8000
    example = f"`PORT={other} make run`"
    return f"Port {port} is {why}: choose another with the PORT setting, such as {example}."


def _bound(port: int, *, backlog: int | None) -> socket.socket:
    made = socket.socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((_HOST, port))
        if backlog is not None:
            made.listen(backlog)
    except OSError:
        made.close()
        raise
    return made
