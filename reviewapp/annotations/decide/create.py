"""Making an annotation that is not here yet: of any document, as scripts do, or of a result for its own query."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone

from reviewapp.annotations.decide.services import (
    OfAnotherItem,
    OfAnotherPerson,
    Submission,
    TakenBack,
    decide,
    may_decide,
)
from reviewapp.annotations.mirror import result_matching
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.audit.context import acting
from reviewapp.retrievers.models import Result, Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class OnItsWay(Exception):
    """An annotation of this document for this execution of the retriever waits for delivery: change that one, or wait.

    Upstream has no idempotency, so two creates for one place could not be told apart when an answer is lost.
    """

    def __init__(self, annotation: Annotation) -> None:
        super().__init__(annotation.ref)
        self.annotation = annotation


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is annotated, and where it was found; everything but the document may be unknown."""

    document_id: str
    retriever: Retriever | None = None
    collection_id: str = ""
    execution_id: str = ""
    stage_name: str = ""


def annotate(place: Place, submission: Submission, *, actor: User) -> Decision:
    """Make an annotation and promise it to Mixpeek; a result that waits for one becomes it.

    `submission.base` is not looked at: there is nothing yet. Raises `PermissionDenied`, `OnItsWay`, and what
    `services.decide` raises.
    """
    may_decide(actor)
    with acting(actor):
        annotation = _waiting(place) or _made(place) or _waiting(place)
        if annotation is None or annotation.label:
            raise OnItsWay(annotation or Annotation(ref="", document_id=place.document_id))
        return decide(annotation.pk, submission, actor=actor)


def item_of(result: Result, *, actor: User) -> Annotation:
    """Return the item in which `result` is judged for its own query, making one that waits if there is none.

    Raises `PermissionDenied`, and ValueError for a result that no execution returned.
    """
    may_decide(actor)
    if result.execution is None or result.retriever_id is None:
        raise ValueError("A document that no execution returned is of no query.")
    with acting(actor, note="to judge it for another query"):
        queries = result_matching.queries_of([result])
        there = result_matching.lock([result], queries)
        own = next((row for row in there if row.result_id == result.pk), None)
        found = own or result_matching.of_same_query(there, result, queries)
        return found or _waiting_for(result)


def _waiting_for(result: Result) -> Annotation:
    row = result_matching.unannotated(result)
    result_matching.show(row, result)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        # Somebody else made it at the same moment.
        return Annotation.objects.get(
            document_id=row.document_id,
            retriever=result.retriever,
            execution_id=row.execution_id,
            annotation_id__isnull=True,
        )
    return row


def replayed(decision_id: uuid.UUID, *, document_id: str, retriever_id: str | None, actor: User) -> Decision | None:
    """Return the decision that a repeated request has made already.

    Raises `OfAnotherPerson`, `OfAnotherItem` when it is about another document or retriever, and `TakenBack`.
    """
    decisions = Decision.objects.filter(decision_id=decision_id).select_related("annotation__retriever")
    decision = decisions.first()
    if decision is None:
        return None

    if decision.reviewer_id != actor.pk:
        raise OfAnotherPerson(str(decision_id))
    annotation = decision.annotation
    decided_retriever_id = annotation.retriever.retriever_id if annotation.retriever else None
    if (annotation.document_id, decided_retriever_id) != (document_id, retriever_id):
        raise OfAnotherItem(str(decision_id))
    if Undo.objects.filter(decision=decision).exists():
        raise TakenBack(str(decision_id))
    return decision


def _waiting(place: Place) -> Annotation | None:
    there = Annotation.objects.filter(
        document_id=place.document_id,
        retriever=place.retriever,
        execution_id=place.execution_id,
        annotation_id__isnull=True,
    )
    return there.exclude(status=Annotation.Status.GONE).select_for_update(of=["self"]).first()


def _made(place: Place) -> Annotation | None:
    """Return a new row, None when somebody else made it at the same moment."""
    try:
        with transaction.atomic():
            return Annotation.objects.create(
                ref=f"annotations/local-{uuid.uuid4().hex}",
                document_id=place.document_id,
                retriever=place.retriever,
                collection_id=place.collection_id,
                execution_id=place.execution_id,
                stage_name=place.stage_name,
                seen_at=timezone.now(),
            )
    except IntegrityError:
        return None
