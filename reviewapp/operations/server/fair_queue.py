"""Whole requests that wait for a thread, given out in turn. Pure: it neither waits nor sends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who sends a request: a network, and the credentials within it ("" for none).

    Credentials are not checked yet. Whoever makes some up only divides the share of their own
    network.
    """

    network: str
    credentials: str = ""


@dataclass(kw_only=True)
class _Line(Generic[T]):
    """The requests of one client that wait, and how many of it are running."""

    waiting: deque[T] = field(default_factory=deque)
    running: int = 0


class FairQueue(Generic[T]):
    """Gives out requests in turn: network after network, and within a network client after client.

    No network has more than `network_limit` requests running, and no client more than
    `client_limit`, so that others find a free thread. The requests of one client keep their order.
    """

    def __init__(self, *, thread_count: int, network_limit: int, client_limit: int) -> None:
        self._thread_count = thread_count
        self._network_limit = network_limit
        self._client_limit = client_limit
        self._running = 0
        # The one whose turn is next comes first.
        self._networks: dict[str, dict[Client, _Line[T]]] = {}

    def add(self, client: Client, request: T) -> None:
        """Let a request wait for its turn."""
        lines = self._networks.setdefault(client.network, {})
        lines.setdefault(client, _Line()).waiting.append(request)

    def start_next(self) -> T | None:
        """Return the request whose turn it is, which is running from now on; None if none may
        start.
        """
        if self._running >= self._thread_count:
            return None

        for network, lines in self._networks.items():
            if sum(line.running for line in lines.values()) >= self._network_limit:
                continue

            client = self._next_client(lines)
            if client is not None:
                return self._start(network, client)
        return None

    def finish(self, client: Client) -> None:
        """Count a running request of a client as done."""
        lines = self._networks[client.network]
        line = lines[client]
        line.running -= 1
        self._running -= 1

        if not line.running and not line.waiting:
            del lines[client]
        if not lines:
            del self._networks[client.network]

    def _next_client(self, lines: dict[Client, _Line[T]]) -> Client | None:
        for client, line in lines.items():
            if line.waiting and line.running < self._client_limit:
                return client
        return None

    def _start(self, network: str, client: Client) -> T:
        # Both go to the end, behind all others who wait.
        lines = self._networks.pop(network)
        self._networks[network] = lines
        line = lines.pop(client)
        lines[client] = line

        line.running += 1
        self._running += 1
        return line.waiting.popleft()
