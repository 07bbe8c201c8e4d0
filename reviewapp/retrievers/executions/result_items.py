"""The annotations of a run's results: their own items, and decisions for other queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q

from reviewapp.retrievers.models import Execution, Result


@dataclass(frozen=True, kw_only=True)
class Items:
    """The annotations of a result.

    `item` is its own one, perhaps of an `earlier_run` of the same query; `judged` is one that was
    decided for another query.
    """

    item: Model | None
    earlier_run: bool
    judged: Model | None


def result_items(execution: Execution, results: Sequence[Result]) -> list[Items]:
    """Return the items of each of these results of `execution`, in their order. Four queries."""
    documents = {result.document_id for result in results}
    annotations = execution.retriever.annotations.filter(document_id__in=documents)
    annotations = annotations.defer("words", "search", "revisions")
    same_query = Execution.objects.with_query_of(execution)
    execution_ids = dict(same_query.values_list("pk", "execution_id"))

    of_run = Q(result__in=results) | Q(execution_id__in=[execution.execution_id or "-"])
    upstream_ids = [id_ for id_ in execution_ids.values() if id_]
    of_query = Q(execution_id__in=upstream_ids)
    of_query |= Q(execution_id="", result__execution__in=execution_ids)
    own = _by_document(annotations.filter(of_run).order_by("-pk"))
    earlier = _by_document(annotations.filter(of_query).order_by("-pk"))

    decided = annotations.filter(status="decided", label__gt="")
    decided = decided.exclude(of_query).exclude(of_run)
    newest = decided.order_by("document_id", "-settled_at", "-pk").distinct("document_id")
    judged = _by_document(newest)

    items = []
    for result in results:
        document = result.document_id
        items_of_result = Items(
            item=own.get(document) or earlier.get(document),
            earlier_run=document not in own,
            judged=judged.get(document),
        )
        items.append(items_of_result)
    return items


def _by_document(annotations: Iterable[Any]) -> dict[str, Any]:
    return {annotation.document_id: annotation for annotation in annotations}
