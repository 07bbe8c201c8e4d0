"""The statements that claim changes, as the product puts them together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reviewapp.outbox.claims import CLAIM_BULK, CLAIM_BY_ID, CLAIM_INTERACTIVE
from reviewapp.postgres.statement import Statement


def every_statement() -> Iterator[tuple[str, Statement[Any]]]:
    """Yield each with a title."""
    yield "claim.sql interactive", CLAIM_INTERACTIVE
    yield "claim.sql bulk", CLAIM_BULK
    yield "claim.sql by id", CLAIM_BY_ID
