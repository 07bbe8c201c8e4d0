"""Where things are: each part of the code has its tests, in a folder of the same name."""

from __future__ import annotations

from tests.rules.sources import PACKAGE, ROOT, TOOLS


def test_it_gives_every_part_its_tests() -> None:
    folders = {
        path.parent.name: ROOT / "tests" / path.parent.name
        for path in PACKAGE.glob("*/__init__.py")
    }
    folders |= {
        f"tools/{path.parent.name}": ROOT / "tests" / "tools" / path.parent.name
        for path in TOOLS.glob("*/__init__.py")
    }

    untested = [
        part for part, folder in sorted(folders.items()) if not list(folder.rglob("test_*.py"))
    ]

    assert not untested, "\n".join(untested)
