"""The cache that web processes share keeps values, and nothing that runs."""

from __future__ import annotations

import base64
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewapp.postgres.json_cache import JsonDatabaseCache
from tests.proofs import examples

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@pytest.fixture(autouse=True)
def _empty_cache(db: None) -> None:
    cache.clear()


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def write_entry(key: str, value: str) -> None:
    """Write the table as whoever has the app's database user."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cache (cache_key, value, expires) VALUES (%s, %s, '2100-01-01')",
            [key, value],
        )


@pytest.mark.parametrize("version", [1, 2])
def test_it_runs_nothing_that_somebody_wrote_into_the_table(tmp_path: Path, version: int) -> None:
    file = tmp_path / "ran"
    pickled = pickle.dumps(Payload(file))
    write_entry(f":{version}:labels:7", base64.b64encode(pickled).decode())

    assert cache.get("labels:7", "nothing") == "nothing"
    assert cache.get_many(["labels:7"], version=version) == {}
    assert not file.exists()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "gAWVCQ=="])
def test_it_takes_damaged_entries_for_missing(text: str) -> None:
    write_entry(":2:labels:7", text)

    assert cache.get("labels:7") is None
    cache.set("labels:7", ["spam"])
    assert cache.get("labels:7") == ["spam"]


@settings(max_examples=examples(30, 300), deadline=None)
@given(value=VALUES)
def test_it_returns_what_json_can_hold(value: Any) -> None:
    cache.set("key", value)
    assert cache.get("key") == value


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", Path("x")], ids=type)
def test_it_refuses_what_json_cannot_hold(value: Any) -> None:
    with pytest.raises(TypeError):
        cache.set("key", value)


def test_it_keeps_an_entry_until_it_expires() -> None:
    cache.set("a", 1, timeout=-1)
    cache.set("b", 1, timeout=60)
    cache.set("c", 1, timeout=None)

    assert [cache.get(key) for key in "abc"] == [None, 1, 1]
    assert not cache.touch("a", 60)
    assert cache.touch("b", -1)
    assert cache.get("b") is None
    assert "c" in cache


def test_it_adds_only_what_is_missing_or_expired() -> None:
    cache.set("old", 1, timeout=-1)

    assert cache.add("old", 2)
    assert not cache.add("old", 3)
    assert cache.get("old") == 2
    assert cache.delete("old")
    assert not cache.delete("old")
    assert cache.add("old", 4)


def test_it_counts() -> None:
    cache.set("count", 1, timeout=60)
    assert cache.incr("count") == 2
    assert cache.get_or_set("count", 9) == 2
    with pytest.raises(ValueError, match="not found"):
        cache.incr("nothing")


def test_it_stays_within_its_size_and_keeps_what_lasts() -> None:
    small: BaseCache = JsonDatabaseCache("cache", {"OPTIONS": {"MAX_ENTRIES": 30}, "VERSION": 2})
    small.set("lasting", 1, timeout=None)

    for number in range(100):
        small.set(f"short-{number}", number, timeout=60)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cache")
        (entries,) = cursor.fetchone()
    assert entries <= 31
    assert small.get("lasting") == 1
    assert small.get("short-99") == 99


@pytest.mark.django_db(transaction=True)
def test_it_lets_one_of_several_processes_add() -> None:
    together = Barrier(4)

    def add(value: int) -> bool:
        try:
            together.wait(60)
            return bool(cache.add("lock", value, timeout=60))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(add, range(4)))
    assert sorted(added) == [False, False, False, True]
    assert added[cache.get("lock")]
