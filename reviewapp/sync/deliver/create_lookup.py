"""Look up what exists upstream where a change would create an annotation.

The place is a document, for an execution of a retriever. Mixpeek has no idempotency key and no
lock, so a create is checked from both sides. Before it, an existing annotation is ours (the reply
was lost) or somebody else's (a person decides). After it, whatever others created in between is
recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from reviewapp.annotations.mirror.from_upstream import decision_id_in, execution_id_in
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, Unreadable
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver.outcome import DeliveryOutcome

_log = logging.getLogger(__name__)
_MAX_LISTED = 500


def retriever_id_of(annotation: Annotation) -> str | None:
    """Return Mixpeek's id of the annotation's retriever."""
    if annotation.retriever:
        return annotation.retriever.retriever_id
    return None


def list_existing(annotation: Annotation, client: Client) -> list[AnnotationRecord]:
    """Return upstream's annotations of the same document, retriever and execution."""
    retriever_id = retriever_id_of(annotation)
    page = client.list_annotations(
        document_id=annotation.document_id,
        retriever_id=retriever_id,
        limit=_MAX_LISTED,
    )
    if page.left_out:
        # One of these may be what an earlier attempt created.
        left_out = page.left_out[0]
        message = f"Mixpeek has an annotation of this document that cannot be read: {left_out}."
        raise Unreadable(message)

    candidates = []
    for record in page.items:
        is_of_execution = execution_id_in(record) == annotation.execution_id
        if is_of_execution and record.retriever_id == retriever_id:
            candidates.append(record)
    return candidates


def without_mirrored(
    existing: Sequence[AnnotationRecord],
    annotation: Annotation,
) -> list[AnnotationRecord]:
    """Return those that belong to no other row: scripts may create a second annotation."""
    ids = [record.annotation_id for record in existing]
    others = Annotation.objects.filter(annotation_id__in=ids).exclude(pk=annotation.pk)
    mirrored_ids = set(others.values_list("annotation_id", flat=True))
    return [record for record in existing if record.annotation_id not in mirrored_ids]


def find_own_record(
    change: Change,
    existing: Sequence[AnnotationRecord],
) -> AnnotationRecord | None:
    """Return the one whose stamp says that an earlier attempt of this change created it."""
    if not change.cause:
        return None
    for record in existing:
        if decision_id_in(record) == str(change.cause):
            return record
    return None


@transaction.atomic
def pulled_annotation_id(annotation: Annotation) -> str | None:
    """Return the id that a pull, begun before we claimed the change, has given the row meanwhile.

    Waits for that pull to commit; a later one sees the claim and leaves the row alone (`absorb`).
    """
    row = Annotation.objects.select_for_update().only("annotation_id").get(pk=annotation.pk)
    return row.annotation_id


def created_since(
    existing: Sequence[AnnotationRecord],
    created: AnnotationRecord,
    annotation: Annotation,
    client: Client,
) -> list[AnnotationRecord]:
    """Return what others created between our lookup and our create.

    The next pull finds what cannot be read now.
    """
    try:
        records = list_existing(annotation, client)
    except MixpeekError as error:
        _log.info(
            "did not look who else annotated the document of %s: %s",
            annotation.ref,
            error.message,
        )
        return []

    existing_ids = [record.annotation_id for record in existing]
    known_ids = {created.annotation_id, *existing_ids}
    return [record for record in records if record.annotation_id not in known_ids]


def with_concurrent(
    outcome: DeliveryOutcome, others: Sequence[AnnotationRecord]
) -> DeliveryOutcome:
    """Return the outcome with what others created at the same moment, to record and absorb."""
    if not others:
        return outcome

    settlement = outcome.settlement
    raced = settlement.raced or {
        "read": None,
        "now": settlement.version,
        "lost": {},
        "by": others[0].actor_id,
    }
    others_created = []
    for record in others:
        other = {
            "annotation_id": record.annotation_id,
            "label": record.label,
            "by": record.actor_id,
        }
        others_created.append(other)

    settlement = replace(settlement, raced={**raced, "beside": others_created})
    return replace(outcome, settlement=settlement, concurrent_records=tuple(others))
