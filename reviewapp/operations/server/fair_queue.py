"""Queue complete requests for the threads, fairly between clients. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ClientIdentity:
    """Who sends a request: a network, and the credentials within it ("" for none).

    Credentials are not checked yet. Whoever makes some up only divides the share of their own
    network.
    """

    network: str
    credentials: str = ""


@dataclass(kw_only=True)
class _ClientQueue(Generic[T]):
    """The waiting requests of one client, and how many are running."""

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
        # In the order of their turns: the next one comes first.
        self._networks: dict[str, dict[ClientIdentity, _ClientQueue[T]]] = {}

    def add(self, client: ClientIdentity, request: T) -> None:
        """Add a request to the queue."""
        clients = self._networks.setdefault(client.network, {})
        queue = clients.setdefault(client, _ClientQueue())
        queue.waiting.append(request)

    def start_next(self) -> T | None:
        """Take the next request from the queue and count it as running; None if none may start."""
        if self._running >= self._thread_count:
            return None

        for network, clients in self._networks.items():
            network_running = sum(queue.running for queue in clients.values())
            if network_running >= self._network_limit:
                continue

            for client, queue in clients.items():
                if queue.waiting and queue.running < self._client_limit:
                    return self._start(network, client)
        return None

    def finish(self, client: ClientIdentity) -> None:
        """Count a running request of a client as done."""
        clients = self._networks[client.network]
        queue = clients[client]
        queue.running -= 1
        self._running -= 1

        if not queue.running and not queue.waiting:
            del clients[client]
        if not clients:
            del self._networks[client.network]

    def _start(self, network: str, client: ClientIdentity) -> T:
        # The network and the client go to the end, behind all others that wait.
        clients = self._networks.pop(network)
        self._networks[network] = clients
        queue = clients.pop(client)
        clients[client] = queue

        queue.running += 1
        self._running += 1
        return queue.waiting.popleft()
