"""Create an annotation: of any document, as scripts do, or of a result for its own query."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone

from reviewapp.annotations.decide.exceptions import (
    IdTakenByOtherItem,
    IdTakenByOtherPerson,
    TakenBack,
)
from reviewapp.annotations.decide.services import decide, require_decide_permission
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.mirror import result_matching
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.audit.context import acting
from reviewapp.retrievers.models import Result, Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class CreateInDelivery(Exception):
    """The same annotation is still to be delivered: change that one, or wait.

    The same means of this document, for this execution of the retriever. Upstream has no
    idempotency key, so two creates for one place could not be told apart if an answer is lost.
    """

    def __init__(self, annotation: Annotation) -> None:
        super().__init__(annotation.ref)
        self.annotation = annotation


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is annotated, and where it was found; all but the document may be unknown."""

    document_id: str
    retriever: Retriever | None = None
    collection_id: str = ""
    execution_id: str = ""
    stage_name: str = ""


def annotate(place: Place, submission: Submission, *, actor: User) -> Decision:
    """Create an annotation, or use the waiting item of the same place, and decide on it.

    `submission.base` is ignored: there is nothing yet. Raises `PermissionDenied`,
    `CreateInDelivery`, and what `services.decide` raises.
    """
    require_decide_permission(actor)
    with acting(actor):
        annotation = _lock_local(place)
        if annotation is None:
            try:
                with transaction.atomic():
                    annotation = Annotation.objects.create(
                        ref=str(result_matching.local_ref()),
                        document_id=place.document_id,
                        retriever=place.retriever,
                        collection_id=place.collection_id,
                        execution_id=place.execution_id,
                        stage_name=place.stage_name,
                        seen_at=timezone.now(),
                    )
            except IntegrityError:
                # Another request created it at the same moment.
                annotation = _lock_local(place)

        if annotation is None:
            raise CreateInDelivery(Annotation(ref="", document_id=place.document_id))
        if annotation.label:
            raise CreateInDelivery(annotation)
        return decide(annotation.pk, submission, actor=actor)


def get_or_create_item(result: Result, *, actor: User) -> Annotation:
    """Return the item in which `result` is judged for its own query; create one if there is none.

    Raises `PermissionDenied`, and ValueError for a result that no execution returned.
    """
    require_decide_permission(actor)
    if result.execution is None or result.retriever_id is None:
        raise ValueError("A document that no execution returned is of no query.")

    with acting(actor, note="to judge it for another query"):
        queries = result_matching.queries_of([result])
        annotations = result_matching.lock([result], queries)

        for annotation in annotations:
            if annotation.result_id == result.pk:
                return annotation

        same_query = result_matching.of_same_query(annotations, result, queries)
        if same_query:
            return same_query

        annotation = result_matching.unannotated(result)
        result_matching.show_result(annotation, result)
        try:
            with transaction.atomic():
                annotation.save()
        except IntegrityError:
            # Another request created it at the same moment.
            return Annotation.objects.get(
                document_id=annotation.document_id,
                retriever=result.retriever,
                execution_id=annotation.execution_id,
                annotation_id__isnull=True,
            )
    return annotation


def find_replay(
    decision_id: uuid.UUID,
    *,
    document_id: str,
    retriever_id: str | None,
    actor: User,
) -> Decision | None:
    """Return the decision that a repeated request has already made, else None.

    Raises `IdTakenByOtherPerson`, `TakenBack`, and `IdTakenByOtherItem` when the decision is about
    another document or retriever.
    """
    decisions = Decision.objects.filter(decision_id=decision_id)
    decision = decisions.select_related("annotation__retriever").first()
    if decision is None:
        return None

    if decision.reviewer_id != actor.pk:
        raise IdTakenByOtherPerson(str(decision_id))

    annotation = decision.annotation
    decided_retriever_id = annotation.retriever.retriever_id if annotation.retriever else None
    if (annotation.document_id, decided_retriever_id) != (document_id, retriever_id):
        raise IdTakenByOtherItem(str(decision_id))

    if Undo.objects.filter(decision=decision).exists():
        raise TakenBack(str(decision_id))
    return decision


def _lock_local(place: Place) -> Annotation | None:
    """Lock and return the item of this place that upstream does not have, None without one."""
    annotations = Annotation.objects.filter(
        document_id=place.document_id,
        retriever=place.retriever,
        execution_id=place.execution_id,
        annotation_id__isnull=True,
    )
    present = annotations.exclude(status=Annotation.Status.GONE)
    return present.select_for_update(of=["self"]).first()
