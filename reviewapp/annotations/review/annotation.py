"""Load an annotation with what its form and its page read of its neighbours, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.outbox.models import Change
from reviewapp.postgres.jsonb import model_from_json
from reviewapp.postgres.statement import model_builder, sql_file
from reviewapp.retrievers.models import Guidelines, LabelSet, Result, Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Row = dict[str, Any]


@dataclass(frozen=True)
class AnnotationRow:
    """The rows of an annotation and its neighbours; `changes` are newest first, None for none."""

    annotation: Row
    retriever: Row | None
    label_set: Row | None
    guidelines: Row | None
    reviewer: Row | None
    result: Row | None
    decision: Row | None
    changes: list[Row] | None
    draft: Row | None


_ANNOTATION = sql_file(__file__, "annotation.sql", AnnotationRow)


# The fields of position.sql, in its order.
_POSITION_FIELDS = ("id", "decided_at", "sureness", "relevance", "settled_at")


_POSITION = sql_file(__file__, "position.sql", model_builder(Annotation, _POSITION_FIELDS))


def load_position(pk: int) -> Annotation | None:
    """Return the annotation with only the columns that the queue is ordered by, None for none."""
    return _POSITION.first(annotation=pk)


def load_annotation(pk: int) -> Annotation | None:
    """Return the annotation with this key and its neighbours, None if there is none."""
    row = _ANNOTATION.first(annotation=pk, person=None)
    if row is None:
        return None
    return _annotation(row)


def load_annotation_and_draft(pk: int, person: User) -> tuple[Annotation, Draft | None] | None:
    """Return the annotation with this key and the person's draft of it; None for no annotation."""
    row = _ANNOTATION.first(annotation=pk, person=person.pk)
    if row is None:
        return None

    draft = None
    if row.draft:
        draft = model_from_json(Draft, row.draft)
        draft.person = person
    return _annotation(row), draft


def _annotation(row: AnnotationRow) -> Annotation:
    annotation = model_from_json(Annotation, row.annotation)
    annotation.changes = [model_from_json(Change, change) for change in row.changes or ()]

    if row.retriever:
        retriever = model_from_json(Retriever, row.retriever)
        if row.label_set:
            retriever.label_set = model_from_json(LabelSet, row.label_set)
        if row.guidelines:
            retriever.guidelines = model_from_json(Guidelines, row.guidelines)
        annotation.retriever = retriever
    if row.reviewer:
        annotation.reviewer = model_from_json(get_user_model(), row.reviewer)
    if row.result:
        annotation.result = model_from_json(Result, row.result)
    if row.decision:
        annotation.decision = model_from_json(Decision, row.decision)
    return annotation
