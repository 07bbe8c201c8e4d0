"""The SQL of a decision: lock its annotation, check, and store what it changes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model

from reviewapp.annotations.fields import STORED_FIELDS
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.postgres.statement import Statement, as_json, sql_file
from reviewapp.retrievers.models import LabelSet, Result, Retriever

Related = TypeVar("Related", bound=Model)

_RETRIEVER_COLUMNS = ("id", "retriever_id", "label_set_id", "guidelines_id", "version")
_LABEL_SET_COLUMNS = (
    "id",
    "labels",
    "other_allowed",
    "starts_from",
    "reasoning_required",
    "confidence_required",
)
_RESULT_COLUMNS = ("id", "digest")
_LOCKED_COLUMNS = (
    "id",
    "ref",
    "annotation_id",
    "document_id",
    "retriever_id",
    *STORED_FIELDS,
    "version",
    "result_id",
    "status",
    "decision_id",
)
_FORM_COLUMNS = (
    *_LOCKED_COLUMNS,
    "upstream",
    "decided_at",
    "sureness",
    "relevance",
    "settled_at",
)
# What was submitted, if an annotation of the same retriever has it (index annotation_labels).
_USED_LABEL = """
    (
        SELECT same.label FROM annotations_annotation same
        WHERE same.retriever_id = annotation.retriever_id AND same.label = %(label)s
        LIMIT 1
    )
"""


@dataclass(frozen=True)
class Precheck:
    """Whether this decision exists, and whether a change of the ref needs attention."""

    already_decided: bool
    has_open_trouble: bool


@dataclass(frozen=True)
class Recorded:
    """The stored decision, and the values of its annotation, as PostgreSQL writes them."""

    decision_key: int
    created_at: datetime
    cleared: dict[str, Any]
    confidence: float | None
    payload: dict[str, Any]
    metadata: dict[str, Any] | None


def annotation_statement(columns: Collection[str], *, condition: str) -> Statement[Annotation]:
    """Return the statement that reads annotations with these columns, their retriever and result.

    `condition` is SQL about `annotation`; `ORDER BY`, `LIMIT` and `FOR UPDATE` may follow in it.
    """
    text = _annotation_sql(columns, condition)
    return Statement(text, partial(_build_annotation, _in_model_order(columns)))


def _annotation_sql(columns: Collection[str], condition: str, *more_columns: str) -> str:
    selected = [f"annotation.{column}" for column in _in_model_order(columns)]
    selected += more_columns
    return _ANNOTATION.with_pieces(columns=", ".join(selected), condition=condition).text


def _in_model_order(columns: Collection[str]) -> list[str]:
    """Return the columns as `Annotation.from_db` expects them."""
    fields = Annotation._meta.concrete_fields
    return [field.attname for field in fields if field.attname in columns]


def _build_annotation(columns: Sequence[str], *row: Any) -> Annotation:
    values = iter(row)
    retriever = _build_related(Retriever, _RETRIEVER_COLUMNS, values)
    label_set = _build_related(LabelSet, _LABEL_SET_COLUMNS, values)
    result = _build_related(Result, _RESULT_COLUMNS, values)
    annotation = Annotation.from_db("default", columns, list(values))

    annotation.retriever = retriever
    if retriever is not None:
        retriever.label_set = label_set
    # Without it in the row, it is read when it is asked for.
    if result is not None:
        annotation.result = result
    return annotation


def _build_with_used_label(*row: Any) -> tuple[Annotation, str | None]:
    *values, used_label = row
    return _build_annotation(_in_model_order(_FORM_COLUMNS), *values), used_label


def _build_related(
    model: type[Related],
    columns: Sequence[str],
    values: Iterator[Any],
) -> Related | None:
    """Take the columns of a joined row; None if it has no key, so that there is no such row."""
    row = list(islice(values, len(columns)))
    if row[0] is None:
        return None
    return model.from_db("default", columns, row)


_ANNOTATION = sql_file(__file__, "annotation.sql", Annotation)
LOCK = annotation_statement(
    _LOCKED_COLUMNS,
    condition="annotation.id = %(pk)s FOR UPDATE OF annotation",
)
FOR_DECISION = Statement(
    _annotation_sql(_FORM_COLUMNS, "annotation.id = %(pk)s", _USED_LABEL),
    _build_with_used_label,
)
# Never in the statement that locks, which sees only what was committed when it began.
PRECHECK = Statement(
    """
    SELECT
        EXISTS (SELECT FROM annotations_decision WHERE decision_id = %(decision_id)s),
        EXISTS (SELECT FROM outbox_change WHERE ref = %(ref)s AND state IN ('conflict', 'refused'))
    """,
    Precheck,
)
_RECORD = sql_file(__file__, "record.sql", Recorded)


def lock_annotation(annotation_id: int) -> Annotation:
    """Lock an annotation until the transaction ends; raises `Annotation.DoesNotExist`."""
    annotation = LOCK.first(pk=annotation_id)
    if annotation is None:
        raise Annotation.DoesNotExist
    return annotation


def get_for_decision(pk: int, *, label: str) -> tuple[Annotation, str | None] | None:
    """Return what a decision's form is checked against: the annotation, not locked, and `label`.

    The label is None unless an annotation of the retriever has it. Returns None if there is no
    such annotation.
    """
    return FOR_DECISION.first(pk=pk, label=label)


def precheck(ref: str, decision_id: UUID) -> Precheck:
    """Return what stands in the way of a decision; call it after its annotation was locked."""
    (check,) = PRECHECK.rows(ref=ref, decision_id=decision_id)
    return check


def resolve_result(annotation: Annotation, result_id: int | None) -> Result | None:
    """Return the result that the reviewer saw if it is of this document, else the annotation's."""
    if result_id is not None and result_id != annotation.result_id:
        results = Result.objects.filter(pk=result_id, document_id=annotation.document_id)
        result = results.defer("snapshot").first()
        if result is not None:
            return result
    return annotation.result


def record(decision: Decision, values: dict[str, Any], *, draft: UUID | None) -> None:
    """Insert a decision and set `values` on its annotation.

    Also ends the annotation's lease, and the reviewer's skip or deferral and draft of it. Call it
    inside a transaction that has locked the annotation. Afterwards `decision` has its key, its
    time and in `cleared` also how the item was set aside; `decision.annotation` is as the database
    holds it.
    """
    annotation = decision.annotation
    new_values = {name: values.get(name, getattr(annotation, name)) for name in STORED_FIELDS}
    columns = {field.attname: getattr(decision, field.attname) for field in decision._meta.fields}

    sql_values = {}
    for name, value in new_values.items():
        sql_values[name] = json.dumps(value) if isinstance(value, dict) else value
    (recorded,) = _RECORD.rows(
        **sql_values,
        decision=as_json(columns),
        replaced=json.dumps(decision.cleared),
        draft=draft,
    )

    decision.pk = recorded.decision_key
    decision.created_at = recorded.created_at
    decision.cleared = recorded.cleared

    for name, value in new_values.items():
        setattr(annotation, name, value)
    # PostgreSQL writes some numbers in its own way.
    annotation.confidence = recorded.confidence
    annotation.payload = recorded.payload
    annotation.metadata = recorded.metadata

    annotation.decision = decision
    annotation.status = Annotation.Status(decision.outcome)
    annotation.reviewer = decision.reviewer
    annotation.decided_at = decision.created_at
