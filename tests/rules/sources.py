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
    paths: list[Path] = []
    for folder in folders:
        paths += (ROOT / folder).rglob("*.py")
    return sorted(path for path in paths if "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(path: Path) -> str:
    """Return the name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts)


OUR_NAMES = frozenset(dotted(path) for path in (*PACKAGE.rglob("*.py"), *TOOLS.rglob("*.py")))


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
    for_types: set[int] = set()
    for node in ast.walk(module):
        if _is_for_types(node):
            for_types |= {id(inner) for inner in ast.walk(node)}

    for node in ast.walk(module):
        line = getattr(node, "lineno", 0)
        for of in _imported(node, by, package):
            yield Import(by=by, of=of, line=line, for_types=id(node) in for_types)


def _is_for_types(node: ast.AST) -> bool:
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Name):
        return False
    return node.test.id == "TYPE_CHECKING"


def _imported(node: ast.AST, by: str, package: bool) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            parts = by.split(".")
            parts = parts[: len(parts) - level + package] if level else []
            if module:
                parts = [*parts, module]
            base = ".".join(parts)

            imported = []
            for alias in names:
                inner = f"{base}.{alias.name}"
                imported.append(inner if inner in OUR_NAMES else base)
            return imported
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if (
            "import" in ast.unparse(func)
        ):
            return [name]
    return []
