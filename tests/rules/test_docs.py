"""What the documents claim, held against the code."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewapp.env import Env
from reviewapp.postgres.base import OLDEST
from tests.rules.sources import PACKAGE, ROOT, TOOLS, modules, tree
from tests.rules.test_import_rules import ALLOWED

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A file with its folder: from the root of the project, or inside `reviewapp` or `templates`.
FILE = re.compile(r"(?<![\w/{])\w+(?:/\w+)*/\w+\.(?:py|html|js|css|md|yaml)\b|\burls\.py\b")
READERS = {name for name in vars(Env) if not name.startswith("_")}
# Django's own, set by us and by nobody else.
OURS = {"DJANGO_SETTINGS_MODULE"}


def first_cells(text: str) -> list[str]:
    """Return what stands in back quotes in the first column of the tables of a text."""
    words: list[str] = []
    for line in text.splitlines():
        if line.startswith("| `"):
            first_cell = line.split("|")[1]
            words += re.findall(r"`([^`]+)`", first_cell)
    return words


def variables_read() -> Iterator[str]:
    """Yield every environment variable that the code, and the Procfile, reads."""
    for path in modules("reviewapp", "tools"):
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=owner, attr=method),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    ours = method in READERS and "env" in ast.unparse(owner).casefold()
                    if ours or ast.unparse(owner) == "os.environ":
                        yield name
                case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                    if ast.unparse(function) == "os.getenv":
                        yield name
                case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))):
                    if ast.unparse(owner) == "os.environ":
                        yield name
    yield from re.findall(r"\$\{(\w+)", (ROOT / "Procfile").read_text(encoding="utf-8"))


def test_it_lists_exactly_the_settings_that_are_read() -> None:
    listed = first_cells(SETTINGS)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(variables_read()) - OURS


def test_it_tells_the_bounds_that_numbers_have() -> None:
    rows = SETTINGS.splitlines()
    for path in modules("reviewapp", "tools"):
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="number"), args=[ast.Constant(value=str(name)), default]
                ):
                    start = f"| `{name}`"
                    (row,) = [line for line in rows if line.startswith(start)]
                    assert row.split("|")[2].strip() == ast.unparse(default)
                    bounds = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                    assert name == "PORT" or f"{bounds['least']} to {bounds['most']}" in row


def test_it_names_every_part_of_the_code_and_what_it_may_import() -> None:
    rows = re.findall(
        r"^\| `((?:reviewapp|tools)/\w+)` \|.*\| ?(.*) \|$", ARCHITECTURE, re.MULTILINE
    )
    documented = {folder: set(re.findall(r"`([\w.]+)`", cell)) for folder, cell in rows}

    allowed = {
        f"reviewapp/{path.parent.name}": ALLOWED[path.parent.name]
        for path in PACKAGE.glob("*/__init__.py")
    }
    for path in TOOLS.glob("*/__init__.py"):
        tool = path.parent.name
        allowed[f"tools/{tool}"] = ALLOWED[f"tools.{tool}"]

    assert documented == allowed


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_it_names_files_that_are_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = set(FILE.findall(text))

    roots = [ROOT, PACKAGE, ROOT / "templates"]
    missing = [path for path in sorted(paths) if not any((root / path).exists() for root in roots)]

    assert len(paths) > 5
    assert not missing, "\n".join(missing)


def links() -> list[tuple[Path, str]]:
    """Return every link of every document that leads to a place of ours."""
    ours = []
    for path in DOCUMENTS:
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            is_elsewhere = "://" in target or target.startswith("mailto:")
            if not is_elsewhere:
                ours.append((path, target))
    return ours


def test_it_links_to_what_is_there() -> None:
    assert links()
    broken = [
        f"{document.name}: {target}"
        for document, target in links()
        if not leads_somewhere(document, target)
    ]
    assert not broken, "\n".join(broken)


def leads_somewhere(document: Path, target: str) -> bool:
    """Return whether a link of a document leads to a file, or a heading of a file, of the project."""
    file, _, heading = target.partition("#")
    place = (document.parent / file).resolve() if file else document
    if not place.is_relative_to(ROOT) or not place.exists():
        return False
    return not heading or heading in anchors(place)


def anchors(document: Path) -> set[str]:
    """Return the names under which the headings of a document can be reached."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-") for heading in headings}


def test_it_asks_for_the_python_and_the_postgresql_that_the_code_does() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    python = project["project"]["requires-python"].removeprefix(">=")
    assert re.findall(r"Python (\d+\.\d+) or later", README) == [python]
    assert project["tool"]["ruff"]["target-version"] == f"py{python.replace('.', '')}"
    (oldest,) = OLDEST
    assert re.findall(r"PostgreSQL (\d+) or later", SETTINGS) == [str(oldest)]


def test_it_names_only_targets_that_the_makefile_has() -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for document in DOCUMENTS:
        named = set(re.findall(r"\bmake ([a-z-]+)`", document.read_text(encoding="utf-8")))
        assert named <= targets, document.name


def test_it_pins_every_dependency_it_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, wanted in {
        "requirements.txt": project["dependencies"],
        "requirements-dev.txt": project["optional-dependencies"]["dev"],
    }.items():
        pinned = set(
            re.findall(
                r"^([\w.-]+)(?:\[[^\]]*\])?==",
                (ROOT / name).read_text(encoding="utf-8"),
                re.MULTILINE,
            )
        )
        names = {re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0] for requirement in wanted}
        assert {requirement.casefold() for requirement in names} <= pinned
