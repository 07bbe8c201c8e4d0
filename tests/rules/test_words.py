"""What our files are called, how long they are, and what must not stand in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rules.sources import ROOT, modules, tree

MOST_LINES = 300
SOURCES = modules("reviewapp", "tests")
TESTS = [path for path in SOURCES if path.name.startswith("test_")]
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "core", "helpers", "helper", "misc"}
# Written apart, so that this file does not find itself.
UNFINISHED = re.compile(r"#.*\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"[\"' ]/(?:wo" r"rk|ro" r"ot|ho" r"me)/")


def test_it_keeps_files_short_enough_to_be_read_at_once() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: number for path, number in lines.items() if number > MOST_LINES} == {}


def test_it_gives_no_file_a_name_that_says_nothing() -> None:
    assert [path for path in SOURCES if path.stem in NAMES_THAT_SAY_NOTHING] == []


def test_it_says_at_the_top_of_each_file_what_it_is() -> None:
    silent = [path for path in SOURCES if (module := tree(path)).body and not ast.get_docstring(module)]
    assert silent == []


@pytest.mark.parametrize("pattern", [UNFINISHED, MACHINE], ids=["unfinished", "machine"])
def test_it_leaves_nothing_unfinished_and_no_trace_of_a_machine(pattern: re.Pattern[str]) -> None:
    assert [path for path in SOURCES if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_it_names_tests_for_what_it_does() -> None:
    named = {path: _names(path, lambda name: name.startswith("test_")) for path in TESTS}
    assert [path for path, names in named.items() if not names] == []
    assert [name for names in named.values() for name in names if not name.startswith("test_it_")] == []


def test_it_never_sleeps_in_a_test() -> None:
    def sleeps(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}

    assert [path for path in TESTS if any(map(sleeps, ast.walk(tree(path))))] == []


def test_it_gives_every_part_its_tests() -> None:
    parts = {path.parent.name for path in (ROOT / "reviewapp").glob("*/__init__.py")}
    assert {part for part in parts if not list((ROOT / "tests" / part).glob("test_*.py"))} == set()


def _names(path: Path, wanted: Callable[[str], bool]) -> list[str]:
    nodes = ast.walk(tree(path))
    functions = (node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [name for name in functions if wanted(name)]
