"""Where an annotation of ours is to be made upstream (a document, for an execution of a retriever): what stands there,
and whose it is.

Mixpeek knows no idempotency key and no lock, so a create is looked at from both sides: before it, what stands there is
ours (its answer was lost) or somebody else's (a person is asked); after it, whoever got in between is recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from reviewapp.annotations.mirror.from_upstream import decision_in, execution_of
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, Unreadable
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver.outcome import Outcome

_log = logging.getLogger(__name__)
_MOST = 500


def retriever_of(annotation: Annotation) -> str | None:
    """Return Mixpeek's id of the annotation's retriever."""
    return annotation.retriever.retriever_id if annotation.retriever else None


def look(annotation: Annotation, client: Client) -> list[AnnotationRecord]:
    """Return the annotations that stand upstream where this one is to be; those of other executions do not."""
    retriever_id = retriever_of(annotation)
    there = client.list_annotations(document_id=annotation.document_id, retriever_id=retriever_id, limit=_MOST)
    if there.left_out:
        # One of these may be what an earlier try has made.
        raise Unreadable(f"Mixpeek has an annotation of this document that cannot be read: {there.left_out[0]}.")
    of_retriever = [record for record in there.items if record.retriever_id == retriever_id]
    return [record for record in of_retriever if execution_of(record) == annotation.execution_id]


def free(there: Sequence[AnnotationRecord], annotation: Annotation) -> list[AnnotationRecord]:
    """Return those that no other row here is: scripts may make a second annotation beside one that they know of."""
    others = Annotation.objects.filter(annotation_id__in=[record.annotation_id for record in there])
    taken = set(others.exclude(pk=annotation.pk).values_list("annotation_id", flat=True))
    return [record for record in there if record.annotation_id not in taken]


def made_by(change: Change, there: Sequence[AnnotationRecord]) -> AnnotationRecord | None:
    """Return the one that an earlier try of this change has made, as far as its stamp tells."""
    return next((record for record in there if change.cause and decision_in(record) == str(change.cause)), None)


@transaction.atomic
def taken_meanwhile(annotation: Annotation) -> str | None:
    """Return the id that the row has by now, if a pull that began before we claimed the change has given it one.

    Waits for that pull to commit; a later one sees the claim and leaves the row alone (`absorb`).
    """
    row = Annotation.objects.select_for_update().only("annotation_id").get(pk=annotation.pk)
    return row.annotation_id


def others_since(
    there: Sequence[AnnotationRecord], made: AnnotationRecord, annotation: Annotation, client: Client
) -> list[AnnotationRecord]:
    """Return what others made there between our look and our create; what cannot be read now, the pull will find."""
    known = {made.annotation_id, *(record.annotation_id for record in there)}
    try:
        return [record for record in look(annotation, client) if record.annotation_id not in known]
    except MixpeekError as error:
        _log.info("did not look who else annotated the document of %s: %s", annotation.ref, error.message)
        return []


def noting(outcome: Outcome, others: Sequence[AnnotationRecord]) -> Outcome:
    """Record with the outcome that others annotated the same at the same moment; their annotations come in with it."""
    if not others:
        return outcome
    settled = outcome.settlement
    beside = [{"annotation_id": one.annotation_id, "label": one.label, "by": one.actor_id} for one in others]
    raced = settled.raced or {"read": None, "now": settled.version, "lost": {}, "by": others[0].actor_id}
    return replace(outcome, settlement=replace(settled, raced={**raced, "beside": beside}), beside=tuple(others))
