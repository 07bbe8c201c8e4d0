"""Turn the documents of a run into results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from reviewapp.mixpeek.records import Json
from reviewapp.retrievers.documents.snapshot import RUN_KEYS, digest, snapshot, storable
from reviewapp.retrievers.models import Execution, Result

_LONGEST_ID = 200


def of(execution: Execution, documents: Sequence[Json]) -> tuple[list[Result], list[str]]:
    """Return a run's (unsaved) results, ranked from 1 as they came, and a sentence for each kind of row left out.

    A document that comes twice keeps its better rank.
    """
    found: dict[str, Result] = {}
    nameless = repeated = 0
    for rank, document in enumerate(documents, start=1):
        kept = snapshot(document)
        document_id = kept.get("document_id")
        if not isinstance(document_id, str) or not 0 < len(document_id) <= _LONGEST_ID:
            nameless += 1
        elif document_id in found:
            repeated += 1
        else:
            found[document_id] = _result(execution, document_id, kept, rank, document)
    odd = [f"{nameless} rows have no usable document_id and are left out."] if nameless else []
    return list(found.values()), odd + ([f"{repeated} rows repeat a document and are left out."] if repeated else [])


def _result(execution: Execution, document_id: str, kept: Json, rank: int, document: Json) -> Result:
    collection_id = kept.get("collection_id")
    return Result(
        retriever=execution.retriever,
        execution=execution,
        document_id=document_id,
        collection_id=collection_id[:_LONGEST_ID] if isinstance(collection_id, str) else "",
        rank=rank,
        score=_score(document),
        snapshot=kept,
        digest=digest(kept),
    )


def _score(document: Json) -> float | None:
    for name in RUN_KEYS:
        value: Any = document.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


def own_id(execution: Execution, execution_id: str) -> tuple[str | None, list[str]]:
    """Return the upstream id that `execution` may carry, and a remark when it may not.

    A pull may have met the run before its answer came here: that bare row gives way. Mixpeek may also answer from its
    cache under the id of an older run, whose rows are history and stay with it.
    """
    execution_id = storable(execution_id)[:_LONGEST_ID]
    older = Execution.objects.filter(execution_id=execution_id).exclude(pk=execution.pk)
    if older.filter(results__isnull=False).exists() or older.exclude(requested_by="").exists():
        return None, [f"Mixpeek answered from its cache, with the run {execution_id}."]
    older.delete()
    return execution_id, []
