"""Which annotations a result belongs to: those of the execution that returned it, or that name no execution.

An execution is one run of a retriever with its inputs, so it says which query was judged. A result never moves onto an
annotation of another query, and never onto one that was decided without naming its execution.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.retrievers.documents import evidence
from reviewapp.retrievers.models import Execution, Result

# The columns that `show` sets, besides the execution.
SHOWN = ("result", "score", "title", "excerpt", "words")

# By pairs: the same documents came back from hundreds of other executions.
_OWN_RESULTS = """
SELECT result.id FROM unnest(%s::text[], %s::text[]) AS named (execution_id, document_id)
JOIN retrievers_execution execution ON execution.execution_id = named.execution_id
JOIN retrievers_result result ON result.execution_id = execution.id AND result.document_id = named.document_id
"""


@dataclass(frozen=True, kw_only=True)
class Query:
    """The executions of one retriever with the same inputs: their keys here, and Mixpeek's ids."""

    keys: frozenset[int]
    execution_ids: frozenset[str]


def queries_of(results: Iterable[Result]) -> dict[int, Query]:
    """Return the query that each execution of these results asked, by the execution's key."""
    executions = {result.execution.pk: result.execution for result in results if result.execution}
    queries = {}
    for pk, execution in executions.items():
        alike = list(Execution.objects.with_query_of(execution).values_list("pk", "execution_id"))
        queries[pk] = Query(
            keys=frozenset(key for key, _ in alike),
            execution_ids=frozenset(id_ for _, id_ in alike if id_),
        )
    return queries


def lock(results: Sequence[Result], queries: Mapping[int, Query]) -> list[Annotation]:
    """Lock the annotations that these results can have to do with, in the order of their keys.

    A document may have been judged for hundreds of other queries: those annotations are neither read nor locked.
    """
    documents = {result.document_id for result in results}
    execution_ids = {id_ for query in queries.values() for id_ in query.execution_ids}
    concerned = Q(execution_id__in={"", *execution_ids})
    if any(result.retriever_id is None for result in results):
        concerned |= Q(result__isnull=True)
    rows = Annotation.objects.filter(concerned, document_id__in=documents).select_related("result")
    light = rows.defer("words", "search", "excerpt", "result__snapshot")
    return list(light.select_for_update(of=("self",)).order_by("pk"))


def belongs(annotation: Annotation, result: Result) -> bool:
    """Return whether `result` may be shown on `annotation`.

    A result without a retriever is a document by itself: it is shown where nothing is shown yet. An annotation that
    names no execution takes the newest result until it is decided.
    """
    if result.retriever_id is None:
        return annotation.result_id is None
    if annotation.retriever_id not in {result.retriever_id, None}:
        return False
    if annotation.execution_id:
        return annotation.execution_id == execution_id_of(result)
    return annotation.status == Annotation.Status.WAITING


def of_same_query(annotations: Iterable[Annotation], result: Result, queries: Mapping[int, Query]) -> Annotation | None:
    """Return the annotation of the result's document that belongs to an earlier run of the same query, if any."""
    query = queries.get(result.execution_id or 0)
    if query is None:
        return None
    for annotation in annotations:
        if annotation.retriever_id != result.retriever_id:
            continue
        if annotation.execution_id:
            is_same = annotation.execution_id in query.execution_ids
        else:
            is_same = annotation.result is not None and annotation.result.execution_id in query.keys
        if is_same:
            return annotation
    return None


def may_move(annotation: Annotation, result: Result) -> bool:
    """Return whether a row may go over to a newer run of its query: nobody has annotated it, here or upstream."""
    is_blank = annotation.annotation_id is None and annotation.status == Annotation.Status.WAITING
    return is_blank and result.pk > (annotation.result_id or 0)


def unannotated(result: Result) -> Annotation:
    """Return a new, unsaved row that waits for somebody to annotate this result."""
    return Annotation(
        ref=f"annotations/local-{uuid.uuid4().hex}",
        document_id=result.document_id,
        retriever_id=result.retriever_id,
        execution_id=execution_id_of(result),
        seen_at=timezone.now(),
    )


def show(annotation: Annotation, result: Result) -> None:
    """Show `result` on `annotation`; what nobody has annotated yet is of the result's execution from then on."""
    if annotation.annotation_id is None and result.retriever_id is not None:
        annotation.execution_id = execution_id_of(result)
    annotation.result, annotation.score = result, result.score
    annotation.collection_id = annotation.collection_id or result.collection_id
    annotation.title = evidence.title_of(result.snapshot)
    annotation.excerpt = evidence.excerpt_of(result.snapshot)
    annotation.words = evidence.words_of(result.snapshot)


def show_own_results(annotations: Sequence[Annotation]) -> None:
    """Show on each of these new (unsaved) annotations the result of its own execution, where we have that run."""
    own = own_results(annotations)
    for annotation in annotations:
        result = own.get((annotation.execution_id, annotation.document_id))
        if result is not None:
            show(annotation, result)


def own_results(annotations: Iterable[Annotation]) -> dict[tuple[str, str], Result]:
    """Return the results of the executions that these annotations name, by execution and document."""
    named = [annotation for annotation in annotations if annotation.execution_id]
    if not named:
        return {}
    with connection.cursor() as cursor:
        execution_ids = [annotation.execution_id for annotation in named]
        cursor.execute(_OWN_RESULTS, [execution_ids, [annotation.document_id for annotation in named]])
        keys = [key for (key,) in cursor.fetchall()]
    found = Result.objects.select_related("execution").filter(pk__in=keys)
    return {(execution_id_of(result), result.document_id): result for result in found}


def execution_id_of(result: Result) -> str:
    """Return Mixpeek's id of the execution that returned the result, "" where there is none."""
    return (result.execution.execution_id or "") if result.execution else ""
