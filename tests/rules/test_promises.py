"""What we promise is proven by tests that are there."""

from __future__ import annotations

import ast
import re

from tests.rules.sources import ROOT, tree

PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ") and "`tests/" in line]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_it_\w+)`", PROMISES)


def test_it_names_tests_that_are_there() -> None:
    missing = [f"{file}::{name}" for file, name in NAMED if name not in functions(file)]
    assert not missing, "\n".join(missing)


def functions(file: str) -> set[str]:
    """Return the names of the functions in a file of the project, none where there is no such file."""
    path = ROOT / file
    if not path.exists():
        return set()
    return {node.name for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)}


def test_it_proves_each_promise() -> None:
    table = PROMISES.split("| promise | how it is kept | proven by |", 1)[1].split("\n\n", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert rows == ROWS
    assert rows
