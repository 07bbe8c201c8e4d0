"""Row lock and pre-checks for `services.decide`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from reviewapp.annotations.models import Annotation, Decision
from reviewapp.asked import asked
from reviewapp.outbox.models import Change
from reviewapp.postgres.statement import sql_file
from reviewapp.retrievers.models import Result


@dataclass(frozen=True)
class Precheck:
    """Whether this decision exists, and whether a change of the ref needs attention."""

    already_decided: bool
    has_open_trouble: bool


_PRECHECK = sql_file(__file__, "precheck.sql", Precheck)

# What a decision does not read, and its form does not show.
_DEFERRED = ("words", "search", "excerpt", "revisions", "proposed", "result__snapshot")


def lock_annotation(annotation_id: int) -> Annotation:
    """Lock an annotation until the transaction ends; raises `Annotation.DoesNotExist`."""
    annotations = _for_update(pk=annotation_id)
    if not annotations:
        raise Annotation.DoesNotExist
    return annotations[0]


@asked
def get_for_decision(pk: int, label: str) -> QuerySet[Annotation]:
    """Return the annotation with what a decision reads of its neighbours, not locked.

    A list of one or none. Its `used_label` is `label` if an annotation of the retriever has it.
    """
    same_label = Annotation.objects.filter(retriever=OuterRef("retriever"), label=label)
    annotations = Annotation.objects.select_related("retriever__label_set", "result")
    annotations = annotations.annotate(used_label=Subquery(same_label.values("label")[:1]))
    return annotations.filter(pk=pk).defer(*_DEFERRED)


@asked
def _for_update(pk: int) -> QuerySet[Annotation]:
    annotations = Annotation.objects.select_related("retriever__label_set", "result")
    return annotations.filter(pk=pk).defer(*_DEFERRED).select_for_update(of=["self"])


def precheck(ref: str, decision_id: UUID) -> tuple[bool, bool]:
    """Return whether this decision exists, and whether a change of the ref needs attention."""
    (found,) = _PRECHECK.rows(ref=ref, decision_id=decision_id)
    return found.already_decided, found.has_open_trouble


@asked
def get_decision(decision_id: UUID) -> QuerySet[Decision]:
    """Return the decision with this id, as a list of one or none."""
    return Decision.objects.filter(decision_id=decision_id)


@asked
def changes_needing_attention(ref: str) -> QuerySet[Change]:
    """Return the changes of a ref that are in conflict or refused."""
    return Change.objects.attention().filter(ref=ref)


def resolve_result(annotation: Annotation, result_id: int | None) -> Result | None:
    """Return the result that the reviewer saw if it is of this document, else the annotation's."""
    own = annotation.result
    if own is None and annotation.result_id is not None:
        # The join beside the lock finds no result that was attached while the lock was waited for.
        own = Result.objects.defer("snapshot").get(pk=annotation.result_id)

    if result_id is None or result_id == annotation.result_id:
        return own
    results = Result.objects.filter(pk=result_id, document_id=annotation.document_id)
    return results.defer("snapshot").first() or own
