"""The statements of the API's list of annotations, as the product puts them together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from reviewapp.api.annotations.list import count_statement, list_statement
from reviewapp.postgres.statement import Statement

NAMES = ("document_id", "collection_id", "actor_id", "retriever_id", "label", "as_of")


def every_statement() -> Iterator[tuple[str, Statement[Any]]]:
    """Yield the list and the counts for no, one and two filters, each with a title."""
    for number in range(3):
        for names in combinations(NAMES, number):
            filters = ", ".join(names)
            for skip in (0, 30):
                statement = list_statement(names, skip=skip, limit=30)
                yield f"list.sql skip={skip} {filters}", statement
            yield f"count.sql {filters}", count_statement(names, limit=2_001)
            yield f"count.sql of all {filters}", count_statement(names)
