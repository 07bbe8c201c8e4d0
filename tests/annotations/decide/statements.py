"""The statements that a decision reads before it is stored, as the product puts them together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reviewapp.annotations.decide.statements import FOR_DECISION, LOCK, PRECHECK
from reviewapp.api.annotations.write import LOCK_PATCHED
from reviewapp.postgres.statement import Statement


def every_statement() -> Iterator[tuple[str, Statement[Any]]]:
    """Yield each with a title."""
    yield "annotation.sql to lock", LOCK
    yield "annotation.sql for the form", FOR_DECISION
    yield "annotation.sql for a PATCH", LOCK_PATCHED
    yield "precheck", PRECHECK
