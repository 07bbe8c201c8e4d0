"""The statements of the API's list of annotations, as the product puts them together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from reviewapp.api.annotations.list import count_statement, list_statement
from reviewapp.postgres.statement import Statement

NAMES = ("document_id", "collection_id", "actor_id", "retriever_id", "label", "as_of")


def indexed_statements() -> Iterator[tuple[str, Statement[Any]]]:
    """Yield those without the filters that have no index."""
    return every_statement(("document_id", "retriever_id", "label"))


def every_statement(filters: Sequence[str] = NAMES) -> Iterator[tuple[str, Statement[Any]]]:
    """Yield the list and the counts for no, one and two filters, each with a title."""
    for number in range(3):
        for names in combinations(filters, number):
            title = ", ".join(names)
            for skip in (0, 30):
                statement = list_statement(names, skip=skip, limit=30)
                yield f"list.sql skip={skip} {title}", statement
            yield f"count.sql {title}", count_statement(names, limit=2_001)
            yield f"count.sql of all {title}", count_statement(names)
