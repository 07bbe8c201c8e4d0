"""Who may import whom: the layers of the product, and the tools beside it."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache

import pytest

from tests.rules.sources import OUR_NAMES, PACKAGE, TOOLS, Import, imports, imports_of, modules

# Modules without a place in the layers, which every part may import.
HELPERS = {
    "env", "json_values", "naming", "bounded_cache", "deadline", "printable", "asked", "storable",
    "stored", "ref",
}  # fmt: skip
# What every app shares: the views' common parts, and the database.
SHARED = {"web", "postgres"}
MIXPEEK_VALUES = "mixpeek.records"
RECORDS = {"annotations", "retrievers", "outbox", "audit"}

# By part, the parts (or single modules) that it may import besides HELPERS and SHARED.
ALLOWED: dict[str, set[str]] = {
    "api": {*RECORDS, "mixpeek"},
    "sync": {*RECORDS, "mixpeek"},
    "deliveries": {*RECORDS, "mixpeek"},
    "annotations": {"retrievers", "outbox", "audit", MIXPEEK_VALUES},
    "retrievers": {"outbox", "audit", MIXPEEK_VALUES},
    "outbox": {"audit"},
    "audit": set(),
    "accounts": set(),
    # Without Django, and without them the client would have a second list of what cannot be stored,
    # and single sign-on a second way to give up.
    "mixpeek": {"storable", "deadline"},
    "postgres": set(),
    "web": set(),
    # Observes everything that runs; only the settings know it.
    "operations": {"outbox", "sync", "audit", "mixpeek", "settings"},
    "settings": {"operations.logs", "secret_key"},
    "wsgi": {"operations.server.below_path"},
    "tools.sandbox": set(),
    # Starts everything, so it may know everything; the sandbox it starts as a process.
    "tools.launch": {
        *RECORDS,
        "accounts",
        "sync",
        "secret_key",
        "operations.server.addresses",
    },
    # Serves and times what launch starts; the bare project in it stands alone.
    "tools.bench": {"tools.launch"},
    # Starts and kills what launch starts, and judges it from outside: by SQL and by Mixpeek's API
    # alone.
    "tools.drill": {"tools.bench", "tools.launch"},
}

# Imports that the layers above forbid and that the code has today. Take one out when its code is
# changed.
EXCEPTIONS: dict[str, set[str]] = {
    "api": {
        # A run, and a version that is not mirrored, are requested while the caller waits.
        "sync.client",
        "sync.interactive_limits",
        "sync.executions.run",
        # Scripts withdraw a change by the same service as the deliveries page.
        "deliveries.services",
    },
    "annotations": {
        # A submitted form whose session has ended is stored for its writer alone.
        "accounts.sessions.session_proof",
        # Whoever may not decide any more holds no items.
        "accounts.signals",
    },
    "accounts": {
        # Who got which role is history.
        "audit",
    },
    "secret_key": {"postgres.private"},
}

# Nothing of ours, except what `ALLOWED` names, enters the client and the stand-in for Mixpeek, and
# no Django.
STANDALONE = {"mixpeek", "tools.sandbox"}
# These are below the views, so they share nothing with them.
FOUNDATIONS = {"web", "postgres", *HELPERS}
LAYERS = {"models": 0, "querysets": 0, "services": 1, "forms": 2, "views": 3, "urls": 4}


@cache
def every_import() -> list[Import]:
    """Return every import of the product and the tools."""
    statements: list[Import] = []
    for path in modules("reviewapp", "tools"):
        statements += imports(path)
    return statements


def part(name: str) -> str:
    """Return which part a module belongs to: the app, or `tools.` and the tool."""
    words = name.split(".")
    if words[0] == "tools":
        return ".".join(words[:2])
    return words[1] if len(words) > 1 else ""


def layer(name: str) -> int | None:
    """Return how high in its app a module is, from models to urls; None if it is none of them."""
    return next((LAYERS[word] for word in name.split(".")[2:] if word in LAYERS), None)


def allowed_parts(importer: str) -> set[str]:
    """Return what a part may import besides itself."""
    allowed = ALLOWED.get(importer, set()) | EXCEPTIONS.get(importer, set())
    if importer in STANDALONE:
        return allowed
    if importer in FOUNDATIONS:
        return allowed | HELPERS
    return allowed | HELPERS | SHARED


def is_allowed(statement: Import) -> bool:
    """Return whether the layers allow this import; type checkers may name a person's type."""
    importer, imported = part(statement.by), part(statement.of)

    if statement.of not in OUR_NAMES or importer == imported:
        return True

    if statement.for_types and statement.of == "reviewapp.accounts.models":
        return True

    name = statement.of.removeprefix("reviewapp.")
    return any(is_within(name, prefix) for prefix in allowed_parts(importer))


def is_within(name: str, prefix: str) -> bool:
    """Return whether a module is `prefix` or inside of it."""
    return name == prefix or name.startswith(f"{prefix}.")


def goes_down(statement: Import) -> bool:
    """Return whether an import goes down inside its app, and spares other apps' views and urls."""
    importer, imported = layer(statement.by), layer(statement.of)

    if statement.of not in OUR_NAMES or imported is None:
        return True

    if part(statement.by) != part(statement.of):
        return imported < LAYERS["views"]

    return importer is None or imported <= importer


def test_it_knows_every_part() -> None:
    apps = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    tools = {f"tools.{path.parent.name}" for path in TOOLS.glob("*/__init__.py")}
    assert apps | tools <= ALLOWED.keys()


def test_it_follows_the_layers() -> None:
    assert [str(statement) for statement in every_import() if not is_allowed(statement)] == []


def test_it_needs_each_exception() -> None:
    imported: dict[str, set[str]] = defaultdict(set)
    for statement in every_import():
        imported[part(statement.by)].add(statement.of.removeprefix("reviewapp."))

    unused = []
    for importer, prefixes in EXCEPTIONS.items():
        for prefix in prefixes:
            if not any(is_within(name, prefix) for name in imported[importer]):
                unused.append((importer, prefix))
    assert unused == []


def test_it_imports_no_tool_into_the_product() -> None:
    into_tools = [
        statement for statement in every_import() if statement.of.split(".")[0] == "tools"
    ]
    assert [
        str(statement) for statement in into_tools if statement.by.split(".")[0] == "reviewapp"
    ] == []


def test_it_looks_only_down_inside_an_app() -> None:
    assert [str(statement) for statement in every_import() if not goes_down(statement)] == []


def test_it_keeps_django_out_of_what_stands_alone() -> None:
    django = [statement for statement in every_import() if statement.of.split(".")[0] == "django"]
    assert [str(statement) for statement in django if part(statement.by) in STANDALONE] == []


@pytest.mark.parametrize(
    "source",
    [
        "import reviewapp.sync.deliver",
        "from reviewapp.sync import deliver",
        "from reviewapp.sync.deliver import drain",
        "from reviewapp import sync",
        "from ..sync import deliver",
        "def late():\n    from reviewapp.sync import deliver",
        "import importlib\nimportlib.import_module('reviewapp.sync.deliver.drain')",
        "if TYPE_CHECKING:\n    from reviewapp.sync import deliver",
        "from reviewapp.mixpeek import client",
        "from reviewapp.deliveries import services",
        "from tools.sandbox import store",
    ],
)
def test_it_sees_a_forbidden_import_however_it_is_written(source: str) -> None:
    seen = imports_of(ast.parse(source), by="reviewapp.retrievers.services")
    assert not all(map(is_allowed, seen))


@pytest.mark.parametrize(
    ("by", "source"),
    [
        ("models", "from reviewapp.retrievers import services"),
        ("services", "from reviewapp.retrievers.views import listing"),
        ("services", "from reviewapp.retrievers.editing.forms import EditForm"),
        ("guidance.services", "from reviewapp.retrievers.executions.forms import RunForm"),
        ("views", "from reviewapp.annotations.views import queue"),
    ],
)
def test_it_sees_an_import_that_looks_up(by: str, source: str) -> None:
    seen = imports_of(ast.parse(source), by=f"reviewapp.retrievers.{by}")
    assert not all(map(goes_down, seen))
