"""Statements with named parameters return rows of the type that they name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reviewapp.postgres.statement import Statement, sql_file

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Named:
    """A row of the statements here."""

    name: str
    value: Any


TWO = Statement("SELECT * FROM (VALUES ('a', %(value)s::jsonb), ('b', NULL)) AS pairs", Named)


def test_it_returns_rows_with_decoded_json_however_often_it_is_run() -> None:
    for number in range(10):
        assert TWO.rows(value=f'{{"n": {number}}}') == [
            Named("a", {"n": number}),
            Named("b", None),
        ]


def test_it_returns_the_first_row_or_none() -> None:
    assert TWO.first(value="[]") == Named("a", [])
    assert Statement("SELECT 'a', 1 WHERE %(no)s", Named).first(no=False) is None


def test_it_reads_a_file_beside_the_module_without_its_comments(tmp_path: Path) -> None:
    (tmp_path / "named.sql").write_text("-- What it is for.\nSELECT 'a', -- the name\n    7\n")
    named = sql_file(str(tmp_path / "module.py"), "named.sql", Named)
    assert named.text == "SELECT 'a', 7"
    assert named.rows() == [Named("a", 7)]
