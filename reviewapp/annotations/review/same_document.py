"""The other annotations and results of an item's document, each with its query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reviewapp.annotations.models import Annotation
from reviewapp.json_values import is_same_json
from reviewapp.postgres.jsonb import float_from_json, model_from_json
from reviewapp.retrievers.models import Execution, Retriever

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class OtherAnnotation:
    """Another annotation of the document.

    `retriever` is the name of its retriever, "" for none; `query` that of its execution in one
    line, "" if it is not known.
    """

    pk: int
    label: str
    confidence: float | None
    status: str
    retriever: str
    query: str
    is_same_query: bool

    @property
    def is_judged_for_another_query(self) -> bool:
        """Whether somebody decided it, for another query than the item's."""
        if self.is_same_query or not self.label:
            return False
        return self.status == Annotation.Status.DECIDED


@dataclass(frozen=True, kw_only=True)
class OtherResult:
    """Another result of the document; `item` is the key of its annotation, None without one.

    `retriever` and `query` are those of its execution; `was_pulled`: it has no execution.
    `is_different`: the document was different then; the score, which is the run's, is ignored.
    """

    pk: int
    rank: int | None
    score: float | None
    created_at: datetime
    retriever: str
    query: str
    was_pulled: bool
    item: int | None
    is_same_query: bool
    is_different: bool

    @property
    def may_be_judged(self) -> bool:
        """Whether it is of a query for which the document has no item yet."""
        return not (self.is_same_query or self.was_pulled or self.item is not None)


def build_execution(row: Row) -> Execution:
    """Return the execution of a row that also has its retriever's `name` and `input_schema`."""
    execution = model_from_json(Execution, row)
    execution.retriever = model_from_json(
        Retriever,
        {"id": row["retriever_id"], "name": row["name"], "input_schema": row["input_schema"]},
    )
    return execution


def build_other_annotation(
    row: Row, execution: Execution | None, own: Execution | None
) -> OtherAnnotation:
    """Return another annotation of the document; `own` is the execution of the item."""
    return OtherAnnotation(
        pk=row["id"],
        label=row["label"],
        confidence=float_from_json(row["confidence"]),
        status=row["status"],
        retriever=row["retriever"] or "",
        query=execution.in_one_line if execution else "",
        is_same_query=_is_same_query(own, execution),
    )


def build_other_result(row: Row, execution: Execution | None, own: Execution | None) -> OtherResult:
    """Return another result of the document; `own` is the execution of the item."""
    return OtherResult(
        pk=row["id"],
        rank=row["rank"],
        score=float_from_json(row["score"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        retriever=execution.retriever.name if execution else "",
        query=execution.in_one_line if execution else "",
        was_pulled=execution is None,
        item=row["item"],
        is_same_query=_is_same_query(own, execution),
        is_different=bool(row["is_different"]),
    )


def _is_same_query(own: Execution | None, other: Execution | None) -> bool:
    if own is None or other is None:
        return False
    if own.retriever_id != other.retriever_id:
        return False
    if own.pk == other.pk:
        return True

    # Empty inputs: the retriever takes none, or Mixpeek does not return the inputs of this run.
    has_unknown_inputs = not own.inputs and own.retriever.input_schema
    if has_unknown_inputs:
        return False
    return is_same_json(own.inputs, other.inputs)


def execution_of(annotation: Annotation, executions: Mapping[str, Execution]) -> Execution | None:
    """Return the execution that the annotation names, else that of its result."""
    if annotation.execution_id:
        return executions.get(annotation.execution_id)
    if annotation.result is None:
        return None
    return annotation.result.execution


def executions_of(annotations: Iterable[Annotation]) -> dict[str, Execution]:
    """Return the executions that these annotations name, by id.

    Those that were loaded with a result are not queried again.
    """
    executions: dict[str, Execution] = {}
    named = set()
    for annotation in annotations:
        named.add(annotation.execution_id)
        if annotation.result is None:
            continue
        execution = annotation.result.execution
        if execution and execution.execution_id:
            executions[execution.execution_id] = execution

    missing = named - {"", *executions}
    if missing:
        queried = Execution.objects.select_related("retriever").filter(execution_id__in=missing)
        for execution in queried:
            if execution.execution_id:
                executions[execution.execution_id] = execution
    return executions
