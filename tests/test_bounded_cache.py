"""Caches that hold so many bytes and no more, whatever is put into them."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from threading import Thread

import pytest

from reviewapp.bounded_cache import MIB, BoundedCache, bounded_cache, weight


def test_it_gives_back_what_was_put_in() -> None:
    cache: BoundedCache[str] = BoundedCache(most_bytes=MIB)
    assert cache.get("a") is None
    cache.set("a", "one")
    cache.set("a", "two")
    assert cache.get("a") == "two"
    cache.clear()
    assert (cache.get("a"), cache.bytes) == (None, 0)


def test_it_forgets_what_is_deleted() -> None:
    cache: BoundedCache[str] = BoundedCache(most_bytes=20_000)
    for number in range(40):
        cache.set(number, "x")
    for number in range(40):
        cache.delete(number)
        assert cache.get(number) is None
    assert cache.bytes == 0
    cache.delete("never there")


def test_it_forgets_after_a_while() -> None:
    now = [0.0]
    cache: BoundedCache[str] = BoundedCache(most_bytes=MIB, clock=lambda: now[0])
    cache.set("a", "one", seconds=10)
    now[0] = 9.9
    assert cache.get("a") == "one"
    now[0] = 10.0
    assert cache.get("a") is None


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 1_000, 100_000])
def test_it_holds_no_more_bytes_than_it_may(size: int) -> None:
    cache: BoundedCache[str] = BoundedCache(most_bytes=2 * MIB)
    tracemalloc.start()
    for number in range(20 * MIB // (size + 500)):
        cache.set(f"key {number}", f"{number:0{size}}")
        assert cache.bytes <= 2 * MIB
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 3 * MIB


def test_it_keeps_what_is_used_and_drops_what_is_not() -> None:
    cache: BoundedCache[str] = BoundedCache(most_bytes=100_000)
    cache.set("used", "x")
    cache.set("unused", "x")
    for number in range(1_000):
        cache.set(number, "y" * 500)
        assert cache.get("used") == "x"
    assert cache.get("unused") is None


def test_it_does_not_keep_what_is_too_large() -> None:
    cache: BoundedCache[str] = BoundedCache(most_bytes=MIB)
    cache.set("small", "x")
    cache.set("large", "x" * MIB)
    assert cache.get("large") is None
    assert cache.get("small") == "x"


def test_it_remembers_a_function_by_its_arguments() -> None:
    calls = []

    @bounded_cache(most_bytes=MIB)
    def joined(first: str, *, second: str = "") -> str:
        calls.append((first, second))
        return f"{first} {second}"

    assert [joined("a", second="b"), joined("a", second="b"), joined("a", second="c")] == [
        "a b",
        "a b",
        "a c",
    ]
    assert calls == [("a", "b"), ("a", "c")]


def test_it_weighs_all_that_a_value_holds() -> None:
    @dataclass(frozen=True)
    class Row:
        words: tuple[str, ...]

    assert weight("x" * 10_000) > 10_000
    assert weight(Row(words=("x" * 10_000, "y" * 10_000))) > 20_000
    assert weight({"a": ["x" * 10_000, {"b": "y" * 10_000}]}) > 20_000
    text = "x" * 10_000
    assert weight([text, text]) < 11_000


def test_it_is_used_by_many_threads_at_once() -> None:
    cache: BoundedCache[int] = BoundedCache(most_bytes=50_000)

    def work() -> None:
        for number in range(5_000):
            cache.set(number % 300, number)
            cache.get((number * 7) % 300)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < cache.bytes <= 50_000
