"""Where things are: each part of the code has its tests."""

from __future__ import annotations

from tests.rules.sources import PACKAGE, ROOT


def test_it_gives_every_part_its_tests() -> None:
    parts = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    untested = [part for part in sorted(parts) if not list((ROOT / "tests" / part).glob("test_*.py"))]
    assert not untested, "\n".join(untested)
