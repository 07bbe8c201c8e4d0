"""The signing secret of a clone: one for all processes, readable by its owner only."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from reviewapp.secret_key import read_or_create


def test_it_is_random_long_and_kept(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "secret_key", tmp_path / "b" / "secret_key"

    assert len(read_or_create(first)) == 64
    assert read_or_create(first) == read_or_create(first)
    assert read_or_create(first) != read_or_create(second)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_it_is_its_owners_only_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        read_or_create(tmp_path / "secret_key")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_it_is_the_same_for_all_who_start_at_once(tmp_path: Path) -> None:
    people = 8
    for attempt in range(25):
        start = Barrier(people)

        def read(_: int, path: Path = tmp_path / str(attempt), start: Barrier = start) -> str:
            start.wait()
            return read_or_create(path)

        with ThreadPoolExecutor(people) as pool:
            secrets = set(pool.map(read, range(people)))

        assert len(secrets) == 1
        assert len(secrets.pop()) == 64


def test_it_makes_good_for_a_file_that_a_crash_left_empty(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()

    made = read_or_create(tmp_path / "secret_key")

    assert len(made) == 64
    assert read_or_create(tmp_path / "secret_key") == made
