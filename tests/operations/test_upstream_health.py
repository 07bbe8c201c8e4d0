"""Ping Mixpeek: rarely, quickly, without our API key."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from reviewapp.mixpeek.ping import PingResult, ping
from reviewapp.operations.upstream_health import CachedPing
from tests.sandbox_data import write_data_folder
from tests.tools.sandbox.running import Box, running_sandbox


@pytest.mark.parametrize(
    ("status", "there"), [(200, True), (401, True), (404, True), (429, True), (503, False)]
)
def test_it_takes_any_answer_but_trouble_for_there(status: int, there: bool) -> None:
    assert PingResult(status=status, seconds=0.1).is_up is there


def test_it_finds_nobody_where_nobody_is() -> None:
    health = ping("http://127.0.0.1:9")
    assert (health.status, health.is_up) == (None, False)


@pytest.mark.process
def test_it_shows_nobody_our_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = write_data_folder(tmp_path_factory.mktemp("upstream"))
    box: Box
    with running_sandbox(data=folder) as box:
        assert ping(box.url).is_up
        assert [
            entry for entry in box.received() if "sk_" in str(entry) and entry["method"] == "HEAD"
        ] == []


def test_it_asks_again_only_after_a_while() -> None:
    now, calls = [0.0], []

    def ask(url: str) -> PingResult:
        calls.append(url)
        return PingResult(status=200, seconds=0)

    cached = CachedPing(ask, clock=lambda: now[0])
    for now[0] in (1, 5, 16, 17, 40):
        assert cached.get("a").is_up
    assert calls == ["a", "a", "a"]
    cached.get("b")
    assert calls[-1] == "b"


def test_it_asks_once_for_all_who_wait() -> None:
    calls = []

    def ask(url: str) -> PingResult:
        calls.append(url)
        return PingResult(status=200, seconds=0)

    cached = CachedPing(ask)
    threads = [Thread(target=cached.get, args=["a"]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["a"]


def test_it_holds_nobody_who_can_have_the_answer_before() -> None:
    now, asking, answer = [0.0], Event(), Event()

    def ask(url: str) -> PingResult:
        if now[0]:
            asking.set()
            assert answer.wait(60)
        return PingResult(status=200, seconds=now[0])

    cached = CachedPing(ask, clock=lambda: now[0])
    assert cached.get("a").seconds == 0
    now[0] = 20
    first = Thread(target=cached.get, args=["a"])
    first.start()
    assert asking.wait(60)

    # The first one still asks: had the second to wait for it, this would never end.
    assert cached.get("a").seconds == 0

    answer.set()
    first.join()
    assert cached.get("a").seconds == 20
