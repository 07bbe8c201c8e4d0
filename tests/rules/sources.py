"""Our own sources, as the rules read them: files, syntax trees, and who imports whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "reviewapp"
TOOLS = ROOT / "tools"


def modules(*folders: str) -> list[Path]:
    """Return every Python file of these folders of the project, migrations left out, in order."""
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in paths if "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(path: Path) -> str:
    """Return the name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


OUR_NAMES = frozenset(dotted(path) for folder in (PACKAGE, TOOLS) for path in folder.rglob("*.py"))


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import: by which module, of which, in which line, and whether only type checkers see it."""

    by: str
    of: str
    line: int
    for_types: bool

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.of}"


def imports(path: Path) -> Iterator[Import]:
    """Yield every import of a file, those inside functions included."""
    return imports_of(tree(path), by=dotted(path), package=path.name == "__init__.py")


def imports_of(module: ast.Module, *, by: str, package: bool = False) -> Iterator[Import]:
    """Yield every import of a syntax tree; `from a import b` is of `a.b` if that is a module."""
    for_types = {
        id(inner) for node in ast.walk(module) if _is_for_types(node) for inner in ast.walk(node)
    }
    for node in ast.walk(module):
        for of in _imported(node, by, package):
            yield Import(
                by=by, of=of, line=getattr(node, "lineno", 0), for_types=id(node) in for_types
            )


def _is_for_types(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def _imported(node: ast.AST, by: str, package: bool) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            here = by.split(".")
            above = here[: len(here) - level + package] if level else []
            base = ".".join([*above, *([module] if module else [])])
            return [
                inner if (inner := f"{base}.{alias.name}") in OUR_NAMES else base for alias in names
            ]
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if (
            "import" in ast.unparse(func)
        ):
            return [name]
    return []
