"""Who gets the next thread."""

from __future__ import annotations

from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as st

from reviewapp.operations.server.fair_queue import ClientIdentity, FairQueue

ANN = ClientIdentity(network="10.0.0.1", credentials="ann")
BOB = ClientIdentity(network="10.0.0.1", credentials="bob")
STRANGER = ClientIdentity(network="10.0.0.2")

CLIENTS = st.builds(
    ClientIdentity,
    network=st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
    credentials=st.sampled_from(["", "ann", "bob", "cem"]),
)


def queue(*, threads: int = 8, network_limit: int = 6, client_limit: int = 3) -> FairQueue[str]:
    return FairQueue(thread_count=threads, network_limit=network_limit, client_limit=client_limit)


def started(requests: FairQueue[str]) -> list[str]:
    """Start all that may start, and return them in order."""
    names = []
    while (name := requests.start_next()) is not None:
        names.append(name)
    return names


def test_it_starts_a_request_that_waits_alone() -> None:
    requests = queue()
    assert requests.start_next() is None
    requests.add(ANN, "a1")
    assert started(requests) == ["a1"]


def test_it_keeps_threads_free_for_other_clients() -> None:
    requests = queue()
    for number in range(5):
        requests.add(ANN, f"a{number}")
    assert started(requests) == ["a0", "a1", "a2"]

    requests.add(BOB, "b0")
    assert started(requests) == ["b0"]


def test_it_keeps_threads_free_for_other_networks_whatever_credentials_are_made_up() -> None:
    requests = queue()
    for number in range(50):
        requests.add(ClientIdentity(network="10.0.0.1", credentials=f"made up {number}"), "x")
    assert len(started(requests)) == 6

    requests.add(STRANGER, "s0")
    assert started(requests) == ["s0"]


def test_it_takes_turns() -> None:
    requests = queue(threads=1)
    for number in range(3):
        requests.add(ANN, f"a{number}")
    requests.add(BOB, "b0")
    requests.add(STRANGER, "s0")

    order = []
    for client in (ANN, STRANGER, BOB, ANN, ANN):
        order += started(requests)
        requests.finish(client)
    assert order == ["a0", "s0", "b0", "a1", "a2"]


@given(st.lists(CLIENTS, max_size=40), st.randoms(use_true_random=False))
def test_it_loses_nothing_and_keeps_its_limits_in_any_order(
    senders: list[ClientIdentity], dice: object
) -> None:
    requests: FairQueue[tuple[ClientIdentity, int]] = FairQueue(
        thread_count=4, network_limit=3, client_limit=2
    )
    coming = deque(enumerate(senders))
    running: list[tuple[ClientIdentity, int]] = []
    done: list[tuple[ClientIdentity, int]] = []

    while coming or running:
        if coming:
            number, client = coming.popleft()
            requests.add(client, (client, number))
        while (request := requests.start_next()) is not None:
            running.append(request)

        assert len(running) <= 4
        assert max(Counter(client.network for client, _ in running).values(), default=0) <= 3
        assert max(Counter(client for client, _ in running).values(), default=0) <= 2

        if running and (not coming or dice.random() < 0.5):  # type: ignore[attr-defined]
            request = running.pop(0)
            requests.finish(request[0])
            done.append(request)
            while (request := requests.start_next()) is not None:
                running.append(request)

    assert sorted(number for _, number in done) == list(range(len(senders)))
    for client in set(senders):
        numbers = [number for sender, number in done if sender == client]
        assert numbers == sorted(numbers)


@given(st.integers(min_value=1, max_value=30))
def test_it_lets_nobody_wait_longer_than_one_turn_of_each_network(greedy: int) -> None:
    requests = queue(threads=1)
    for number in range(greedy * 10):
        requests.add(
            ClientIdentity(network="10.0.0.9", credentials=f"c{number % greedy}"), "greedy"
        )
    assert requests.start_next() == "greedy"

    requests.add(STRANGER, "stranger")
    requests.finish(ClientIdentity(network="10.0.0.9", credentials="c0"))
    assert requests.start_next() == "greedy"

    requests.finish(ClientIdentity(network="10.0.0.9", credentials=f"c{1 % greedy}"))
    assert requests.start_next() == "stranger"
