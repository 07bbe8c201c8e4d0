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
_IPV6_HOST = "::1"
_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def listen(host: str, port: int, patience: float, signals: Signals) -> list[socket.socket]:
    """Return listening sockets for the web server; wait up to `patience` seconds for the port.

    Without a host, they are those of loopback, IPv6 only where this machine has it. Raises
    `CannotStart` when the address or the port is not to be had.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            if host:
                return [_listen(host, port)]
            return _listen_on_loopback(port)
        except OSError as error:
            is_busy = error.errno == errno.EADDRINUSE
            if not is_busy or time.monotonic() >= deadline:
                raise CannotStart(_describe_refusal(host, port, error)) from error
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
            with _bind(candidate) as bound:
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


def await_first_response(host: str, port: int, wait: Callable[[float, int], bool]) -> int:
    """Request the first page and return its status, 0 for none; `wait` sleeps until a response."""
    with socket.create_connection((host, port)) as connection:
        request = f"GET / HTTP/1.0\r\nHost: {_HOST}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        while not wait(60, connection.fileno()):
            pass
        status_line = connection.recv(200).split(maxsplit=2)

    if len(status_line) > 1 and status_line[1].isdigit():
        return int(status_line[1])
    return 0


def _listen_on_loopback(port: int) -> list[socket.socket]:
    listeners = [_listen(_HOST, port)]
    try:
        listeners.append(_listen(_IPV6_HOST, port))
    except OSError as error:
        if error.errno in _NO_IPV6:
            return listeners
        listeners[0].close()
        raise
    return listeners


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a host; one of `::` takes IPv4 connections as well."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    is_dual_stack = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(
        address[:2],
        family=family,
        backlog=128,
        dualstack_ipv6=is_dual_stack,
    )


def _describe_refusal(host: str, port: int, error: OSError) -> str:
    if error.errno in {errno.EADDRNOTAVAIL, *_NO_IPV6} or isinstance(error, socket.gaierror):
        example = "`HOST=127.0.0.1 make run`"
        return (
            f"This machine has no address {host}: choose another with the HOST setting, such as "
            f"{example}."
        )
    reason = f"not available ({error.strerror})"
    if error.errno == errno.EADDRINUSE:
        reason = "in use"
    other = 8000
    if 1023 < port < 65535:
        other = port + 1
    example = f"`PORT={other} make run`"
    return f"Port {port} is {reason}: choose another with the PORT setting, such as {example}."


def _bind(port: int) -> socket.socket:
    """Return a socket bound to the port (0: any), which does not listen."""
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((_HOST, port))
    except OSError:
        bound.close()
        raise
    return bound
