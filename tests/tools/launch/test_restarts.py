"""A process that ends may be started again five times within ten minutes."""

from __future__ import annotations

from tools.launch.restarts import MAX_RESTARTS, WINDOW_SECONDS, Restarts


def test_it_allows_five_restarts_within_ten_minutes() -> None:
    restarts = Restarts()
    assert (MAX_RESTARTS, WINDOW_SECONDS) == (5, 600)
    assert [restarts.allow("worker", now) for now in range(6)] == [True] * 5 + [False]


def test_it_counts_each_process_by_itself() -> None:
    restarts = Restarts()
    for now in range(5):
        restarts.allow("worker", now)
    assert restarts.allow("web", 5)


def test_it_forgets_restarts_of_ten_minutes_ago() -> None:
    restarts = Restarts()
    for now in range(5):
        restarts.allow("worker", now)
    assert not restarts.allow("worker", 599)
    assert restarts.allow("worker", 600)
    assert not restarts.allow("worker", 600.5)
    assert all(restarts.allow("worker", 1_000.0 * number) for number in range(2, 20))
