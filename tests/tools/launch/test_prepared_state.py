"""When the preparation of the last launch still holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from tools.launch.prepared_state import Prepared, fingerprint


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "reviewapp" / "migrations").mkdir(parents=True)
    (tmp_path / "reviewapp" / "migrations" / "0001_initial.py").write_text("first")
    return tmp_path


@pytest.fixture
def url(db: None) -> str:
    """The tests' database, as a connection string."""
    wanted = connection.settings_dict
    password = {"password": wanted["PASSWORD"]} if wanted["PASSWORD"] else {}
    return make_conninfo(connection.connection.info.dsn, **password)


def test_it_holds_while_nothing_changes(root: Path, url: str) -> None:
    assert fingerprint(root, url, "a") == fingerprint(root, url, "a") != ""


def test_it_ends_with_a_changed_or_a_new_file(root: Path, url: str) -> None:
    before = fingerprint(root, url)
    (root / "reviewapp" / "migrations" / "0002_more.py").write_text("second")
    between = fingerprint(root, url)
    (root / "reviewapp" / "migrations" / "0001_initial.py").write_text("rewritten")
    assert len({before, between, fingerprint(root, url)}) == 3


def test_it_holds_when_another_launch_collects_the_same_files_again(root: Path, url: str) -> None:
    (root / "staticfiles").mkdir()
    collected = root / "staticfiles" / "staticfiles.json"
    collected.write_text('{"paths": {}}')
    os.utime(collected, (1, 1))
    before = fingerprint(root, url)
    collected.write_text('{"paths": {}}')
    assert fingerprint(root, url) == before
    collected.write_text('{"paths": {"a.js": "a.1.js"}}')
    assert fingerprint(root, url) != before


def test_it_ends_with_another_source(root: Path, url: str) -> None:
    assert fingerprint(root, url, "sandbox") != fingerprint(root, url, "Mixpeek")


def test_it_never_holds_for_a_database_without_migrations(root: Path, url: str) -> None:
    assert fingerprint(root, make_conninfo(url, dbname="postgres")) == ""


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"sign_ins": "x"}', '{"sign_ins": 1, "fingerprint": 2, "more": 3}'],
)
def test_it_ignores_a_spoilt_note(tmp_path: Path, text: str) -> None:
    note = tmp_path / "prepared.json"
    note.write_text(text)
    assert Prepared.load(note) is None


def test_it_reads_what_it_kept(tmp_path: Path) -> None:
    prepared = Prepared(sign_ins="reviewer  password: x\n", fingerprint="f")
    prepared.save(tmp_path / "prepared.json")
    assert Prepared.load(tmp_path / "prepared.json") == prepared
