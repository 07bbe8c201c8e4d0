"""What we promise is proven by tests that are there."""

from __future__ import annotations

import ast
import re

import pytest

from reviewapp.drill.oracle import CHECKS
from tests.rules.sources import ROOT, tree

PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ") and "`tests/" in line]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_it_\w+)`", PROMISES)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda value: value.rpartition("/")[2])
def test_it_names_tests_that_are_there(file: str, name: str) -> None:
    functions = {node.name for node in ast.walk(tree(ROOT / file)) if isinstance(node, ast.FunctionDef)}
    assert name in functions


def test_it_proves_each_promise() -> None:
    table = PROMISES.split("| promise | how it is kept | proven by |", 1)[1].split("\n\n", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert rows == ROWS
    assert len(rows) > 20


def test_it_shows_the_figures_of_a_drill_that_passed() -> None:
    figures = PROMISES.split("## The last full drill", 1)[1]
    assert [promise for promise in CHECKS if f"| {promise} |" not in figures] == []
    assert "**Passed.**" in figures
    assert "broken**" not in figures
    assert "SEED=" in figures
