"""Who may import whom: the house of the design, held."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.rules.sources import OUR_NAMES, PACKAGE, Import, imports, imports_of, modules

EVERYBODY_MAY = {
    *("http", "unreachable", "keyset", "env", "markup"),
    *("asked", "stored", "shown_once", "bounded", "printable", "json_values", "uploads"),
}
VALUES_OF_THE_CLIENT = "mixpeek.records"
RECORDS = {"annotations", "retrievers", "outbox", "audit"}
ARROWS: dict[str, set[str]] = {
    # A run and an unmirrored version are asked for while the caller waits.
    "api": {*RECORDS, "mixpeek", "sync.client", "sync.limits", "sync.run"},
    "sync": {*RECORDS, "mixpeek"},
    # What a browser typed whose session has ended waits for its person only.
    "annotations": {"accounts.session_proof", "retrievers", "outbox", "audit", VALUES_OF_THE_CLIENT},
    "retrievers": {"outbox", "audit", VALUES_OF_THE_CLIENT},
    "outbox": {"audit"},
    # Looks at everything that runs, and is known to nobody but the settings.
    "operations": {"outbox", "sync", "audit", "mixpeek", "postgres", "settings"},
    "audit": set(),
    # Who got which role is history, and history is the lowest layer.
    "accounts": {"audit"},
    "mixpeek": set(),
    "postgres": set(),
    "sandbox": set(),
    # Starts everything, so it may know everything; the sandbox it starts as a process.
    "launch": {*RECORDS, "accounts", "postgres", "sync"},
    # Serves and times what launch starts; the bare project in it stands alone.
    "bench": {"launch", "postgres"},
    # Starts and kills what launch starts, and judges it from outside: by SQL and by Mixpeek's API alone.
    "drill": {"bench", "launch", "postgres"},
    "settings": {"postgres", "operations.logs"},
}
# The client and the stand-in for Mixpeek stand alone: nothing of ours enters them, and no Django.
ALONE = {"mixpeek", "sandbox"}
LAYERS = {"models": 0, "queries": 0, "services": 1, "forms": 2, "views": 3, "urls": 4}


@cache
def every_import() -> list[Import]:
    """Return every import of the product."""
    return [found for path in modules("reviewapp") for found in imports(path)]


def part(name: str) -> str:
    """Return which part of the house a module is in."""
    return name.split(".")[1] if "." in name else ""


def layer(name: str) -> int | None:
    """Return how high in its app a module is, from models to urls; None if it is none of them."""
    return next((LAYERS[word] for word in name.split(".")[2:3] if word in LAYERS), None)


def may(found: Import) -> bool:
    """Return whether an arrow allows this import; a person's type may be named anywhere, for type checkers."""
    here, there = part(found.by), part(found.of)
    if found.of not in OUR_NAMES or here == there:
        return True
    if found.for_types and found.of == "reviewapp.accounts.models":
        return True
    inside = found.of.removeprefix("reviewapp.")
    allowed = ARROWS.get(here, set()) | (set() if here in ALONE else EVERYBODY_MAY)
    return any(inside == one or inside.startswith(f"{one}.") for one in allowed)


def looks_down(found: Import) -> bool:
    """Return whether an import goes down inside its app; nobody else touches an app's views and urls."""
    here, there = layer(found.by), layer(found.of)
    if found.of not in OUR_NAMES or there is None:
        return True
    if part(found.by) != part(found.of):
        return there < LAYERS["views"]
    return here is None or there <= here


def test_it_knows_every_part_of_the_house() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert packages <= ARROWS.keys()


def test_it_follows_the_arrows() -> None:
    assert [str(found) for found in every_import() if not may(found)] == []


def test_it_looks_only_down_inside_an_app() -> None:
    assert [str(found) for found in every_import() if not looks_down(found)] == []


def test_it_keeps_django_out_of_what_stands_alone() -> None:
    assert [
        str(found) for found in every_import() if part(found.by) in ALONE and found.of.split(".")[0] == "django"
    ] == []


@pytest.mark.parametrize(
    "source",
    [
        "import reviewapp.sync.deliver",
        "from reviewapp.sync import deliver",
        "from reviewapp import sync",
        "from ..sync import deliver",
        "def late():\n    from reviewapp.sync import deliver",
        "import importlib\nimportlib.import_module('reviewapp.sync.deliver')",
        "if TYPE_CHECKING:\n    from reviewapp.sync import deliver",
        "from reviewapp.mixpeek import client",
        "from reviewapp.sandbox import store",
    ],
)
def test_it_sees_a_forbidden_import_however_it_is_written(source: str) -> None:
    found = imports_of(ast.parse(source), by="reviewapp.retrievers.services")
    assert not all(map(may, found))


@pytest.mark.parametrize(
    ("by", "source"),
    [
        ("models", "from reviewapp.retrievers import services"),
        ("services", "from reviewapp.retrievers.views import retriever"),
        ("services", "from reviewapp.retrievers.forms import RunForm"),
        ("views", "from reviewapp.annotations.views import queue"),
    ],
)
def test_it_sees_an_import_that_looks_up(by: str, source: str) -> None:
    found = imports_of(ast.parse(source), by=f"reviewapp.retrievers.{by}")
    assert not all(map(looks_down, found))
