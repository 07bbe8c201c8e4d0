"""Compiled templates are kept between processes, and never in place of today's template."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment

from reviewapp.web.compiled_templates import CompiledTemplates


class CountingEnvironment(Environment):
    """An environment that counts the templates that it compiles."""

    compiled = 0

    def compile(self, *args: Any, **kwargs: Any) -> Any:
        """Count, and compile."""
        self.compiled += 1
        return super().compile(*args, **kwargs)


@pytest.fixture
def maker(tmp_path: Path) -> Path:
    """A module that decides what templates are compiled to."""
    module = tmp_path / "maker.py"
    module.write_text("first")
    return module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is not there yet, and into which may be written."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "compiled"


def _compiled(folder: Path, maker: Path, source: str = "Hello") -> int:
    """Render a template in a new environment, and return how many were compiled for it."""
    env = CountingEnvironment(
        loader=DictLoader({"page": source}),
        bytecode_cache=CompiledTemplates(folder, made_by=maker),
    )
    assert env.get_template("page").render() == source
    return env.compiled


def test_it_compiles_a_template_once_for_all_processes(folder: Path, maker: Path) -> None:
    assert _compiled(folder, maker) == 1
    assert _compiled(folder, maker) == 0


def test_it_compiles_what_has_changed(folder: Path, maker: Path) -> None:
    _compiled(folder, maker)
    assert _compiled(folder, maker, source="Good evening") == 1
    assert _compiled(folder, maker, source="Good evening") == 0
    maker.write_text("second")
    assert _compiled(folder, maker, source="Good evening") == 1


@pytest.mark.parametrize("kept", [0, 30, 200])
def test_it_compiles_anew_what_cannot_be_read(folder: Path, maker: Path, kept: int) -> None:
    _compiled(folder, maker)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:kept] + bytes(50))
    assert _compiled(folder, maker) == 1
    assert _compiled(folder, maker) == 0


def test_it_does_without_a_folder_to_write_into(maker: Path) -> None:
    # A file, in which there is no folder.
    for _ in range(2):
        assert _compiled(maker / "compiled", maker) == 1


def test_it_writes_nothing_where_python_writes_nothing(
    folder: Path, maker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    _compiled(folder, maker)
    assert not folder.exists()
