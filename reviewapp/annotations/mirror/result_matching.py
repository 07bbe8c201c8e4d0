"""Match results with annotations: those of the result's execution, or those without an execution.

An execution is one run of a retriever with its inputs, so it identifies the query that was judged.
A result never moves to an annotation of another query, and never to one that was decided without
an execution.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.postgres.statement import Statement
from reviewapp.ref import Ref, RefKind
from reviewapp.retrievers.documents import evidence
from reviewapp.retrievers.models import Execution, Result

# The fields that `show_result` sets, besides the execution.
RESULT_FIELDS = ("result", "score", "title", "excerpt", "words")

# Match pairs of execution and document: hundreds of other executions returned the same documents.
_OWN_RESULTS = Statement(
    """
    SELECT result.id
    FROM unnest(%(execution_ids)s::text[], %(document_ids)s::text[])
        AS named (execution_id, document_id)
    JOIN retrievers_execution execution ON execution.execution_id = named.execution_id
    JOIN retrievers_result result
        ON result.execution_id = execution.id AND result.document_id = named.document_id
    """,
    int,
)


@dataclass(frozen=True, kw_only=True)
class Query:
    """The executions of one retriever with the same inputs: primary keys and Mixpeek's ids."""

    keys: frozenset[int]
    execution_ids: frozenset[str]


def queries_of(results: Iterable[Result]) -> dict[int, Query]:
    """Return the query of each execution of these results, by the execution's primary key."""
    executions = {result.execution.pk: result.execution for result in results if result.execution}

    queries = {}
    for pk, execution in executions.items():
        same_query = Execution.objects.with_query_of(execution)
        ids = dict(same_query.values_list("pk", "execution_id"))
        queries[pk] = Query(
            keys=frozenset(ids),
            execution_ids=frozenset(id_ for id_ in ids.values() if id_),
        )
    return queries


def lock(results: Sequence[Result], queries: Mapping[int, Query]) -> list[Annotation]:
    """Lock the annotations that these results may belong to, in the order of their primary keys.

    Annotations of the same documents for other queries, of which there may be hundreds, are neither
    read nor locked.
    """
    documents = {result.document_id for result in results}
    execution_ids = {id_ for query in queries.values() for id_ in query.execution_ids}

    candidates = Q(execution_id__in={"", *execution_ids})
    if any(result.retriever_id is None for result in results):
        candidates |= Q(result__isnull=True)

    rows = Annotation.objects.filter(candidates, document_id__in=documents)
    rows = rows.select_related("result").defer("words", "search", "excerpt", "result__snapshot")
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def belongs(annotation: Annotation, result: Result) -> bool:
    """Return whether `result` may be shown on `annotation`.

    A result without a retriever is a document by itself: it is shown only where no result is shown.
    An annotation without an execution takes the newest result until it is decided.
    """
    if result.retriever_id is None:
        return annotation.result_id is None

    if annotation.retriever_id not in {result.retriever_id, None}:
        return False

    if annotation.execution_id:
        return annotation.execution_id == execution_id_of(result)
    return annotation.status == Annotation.Status.WAITING


def of_same_query(
    annotations: Iterable[Annotation],
    result: Result,
    queries: Mapping[int, Query],
) -> Annotation | None:
    """Return the first annotation that belongs to any run of the result's query, if any."""
    query = queries.get(result.execution_id or 0)
    if query is None:
        return None

    for annotation in annotations:
        if annotation.retriever_id != result.retriever_id:
            continue

        if annotation.execution_id:
            is_same_query = annotation.execution_id in query.execution_ids
        elif annotation.result is not None:
            is_same_query = annotation.result.execution_id in query.keys
        else:
            is_same_query = False

        if is_same_query:
            return annotation
    return None


def may_move(annotation: Annotation, result: Result) -> bool:
    """Return whether `annotation`, which nobody has annotated yet, may move to this newer run."""
    is_waiting = annotation.status == Annotation.Status.WAITING
    is_unannotated = annotation.annotation_id is None and is_waiting
    return is_unannotated and result.pk > (annotation.result_id or 0)


def local_ref() -> Ref:
    """Return a new ref for an annotation that Mixpeek does not have yet."""
    return Ref(RefKind.ANNOTATION, f"local-{uuid.uuid4().hex}")


def unannotated(result: Result) -> Annotation:
    """Return a new, unsaved row for a result that nobody has annotated yet."""
    return Annotation(
        ref=str(local_ref()),
        document_id=result.document_id,
        retriever_id=result.retriever_id,
        execution_id=execution_id_of(result),
        seen_at=timezone.now(),
    )


def show_result(annotation: Annotation, result: Result) -> None:
    """Show `result` on `annotation`; a row that nobody has annotated moves to its execution."""
    if annotation.annotation_id is None and result.retriever_id is not None:
        annotation.execution_id = execution_id_of(result)

    annotation.result = result
    annotation.score = result.score
    annotation.collection_id = annotation.collection_id or result.collection_id
    annotation.title = evidence.document_title(result.snapshot)
    annotation.excerpt = evidence.document_excerpt(result.snapshot)
    annotation.words = evidence.document_search_text(result.snapshot)


def show_own_results(annotations: Sequence[Annotation]) -> None:
    """Show on each new (unsaved) annotation the result of its own execution, if we have it."""
    results = own_results(annotations)
    for annotation in annotations:
        result = results.get((annotation.execution_id, annotation.document_id))
        if result is not None:
            show_result(annotation, result)


def own_results(annotations: Iterable[Annotation]) -> dict[tuple[str, str], Result]:
    """Return the results of the annotations' executions, by execution id and document id."""
    execution_ids = []
    document_ids = []
    for annotation in annotations:
        if annotation.execution_id:
            execution_ids.append(annotation.execution_id)
            document_ids.append(annotation.document_id)
    if not execution_ids:
        return {}

    keys = _OWN_RESULTS.rows(execution_ids=execution_ids, document_ids=document_ids)

    results = {}
    for result in Result.objects.select_related("execution").filter(pk__in=keys):
        results[execution_id_of(result), result.document_id] = result
    return results


def execution_id_of(result: Result) -> str:
    """Return Mixpeek's id of the execution that returned the result; "" where there is none."""
    if result.execution is None:
        return ""
    return result.execution.execution_id or ""
