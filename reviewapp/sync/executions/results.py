"""Build results from the documents of an execution."""

from __future__ import annotations

from collections.abc import Sequence

from reviewapp.json_values import finite_float
from reviewapp.mixpeek.records import Json
from reviewapp.retrievers.documents.snapshot import RUN_KEYS, clean_text, digest, snapshot
from reviewapp.retrievers.models import Execution, Result

_MAX_ID_LENGTH = 200


def build_results(
    execution: Execution,
    documents: Sequence[Json],
) -> tuple[list[Result], list[str]]:
    """Return the (unsaved) results, ranked from 1 as they came, and warnings about rows left out.

    A document that comes twice keeps its better rank.
    """
    by_document: dict[str, Result] = {}
    without_id = 0
    repeated = 0
    for rank, document in enumerate(documents, start=1):
        body = snapshot(document)
        document_id = body.get("document_id")
        if not isinstance(document_id, str) or not 0 < len(document_id) <= _MAX_ID_LENGTH:
            without_id += 1
        elif document_id in by_document:
            repeated += 1
        else:
            result = build_result(execution, document_id, body, rank, document)
            by_document[document_id] = result

    warnings = []
    if without_id:
        warnings.append(f"{without_id} rows have no usable document_id and are left out.")
    if repeated:
        warnings.append(f"{repeated} rows repeat a document and are left out.")
    return list(by_document.values()), warnings


def build_result(
    execution: Execution,
    document_id: str,
    body: Json,
    rank: int,
    document: Json,
) -> Result:
    """Return the (unsaved) result of a row; `body` is the snapshot of `document`."""
    collection_id = body.get("collection_id")
    if not isinstance(collection_id, str):
        collection_id = ""

    score = None
    for name in RUN_KEYS:
        if score is None:
            score = finite_float(document.get(name))

    return Result(
        retriever=execution.retriever,
        execution=execution,
        document_id=document_id,
        collection_id=collection_id[:_MAX_ID_LENGTH],
        rank=rank,
        score=score,
        snapshot=body,
        digest=digest(body),
    )


def usable_id(execution: Execution, execution_id: str) -> tuple[str | None, list[str]]:
    """Return the upstream id that `execution` may have, and a warning if it may not.

    A pull may have stored the run before its reply arrived: that row without results is replaced.
    Mixpeek may also reply from its cache with the id of an older run, whose rows are history and
    stay with it.
    """
    execution_id = clean_text(execution_id)[:_MAX_ID_LENGTH]
    others = Execution.objects.filter(execution_id=execution_id).exclude(pk=execution.pk)
    has_results = others.filter(results__isnull=False).exists()
    if has_results or others.exclude(requested_by="").exists():
        return None, [f"Mixpeek answered from its cache, with the run {execution_id}."]
    others.delete()
    return execution_id, []
