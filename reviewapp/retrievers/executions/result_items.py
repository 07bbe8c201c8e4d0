"""The annotations that a run's results lead to: the result's own item, and what was judged for another query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model, Q

from reviewapp.retrievers.models import Execution, Result


@dataclass(frozen=True, kw_only=True)
class Items:
    """What a result leads to: its `item` (perhaps of an `earlier_run`), and what was `judged` for another query.

    Both are annotations.
    """

    item: Model | None
    earlier_run: bool
    judged: Model | None


def items_of(execution: Execution, results: Sequence[Result]) -> list[Items]:
    """Return what each of these results of `execution` leads to, in their order. Four queries."""
    documents = {result.document_id for result in results}
    annotations = execution.retriever.annotations.filter(document_id__in=documents).defer(
        "words", "search", "revisions"
    )
    alike = dict(Execution.objects.with_query_of(execution).values_list("pk", "execution_id"))

    of_run = Q(result__in=results) | Q(execution_id__in=[execution.execution_id or "-"])
    of_query = Q(execution_id__in=[id_ for id_ in alike.values() if id_])
    of_query |= Q(execution_id="", result__execution__in=alike)
    own = {row.document_id: row for row in annotations.filter(of_run).order_by("-pk")}
    earlier = {row.document_id: row for row in annotations.filter(of_query).order_by("-pk")}

    decided = annotations.filter(status="decided", label__gt="").exclude(of_query).exclude(of_run)
    newest = decided.order_by("document_id", "-settled_at", "-pk").distinct("document_id")
    judged = {row.document_id: row for row in newest}

    found = []
    for result in results:
        document = result.document_id
        found.append(
            Items(
                item=own.get(document) or earlier.get(document),
                earlier_run=document not in own,
                judged=judged.get(document),
            )
        )
    return found
