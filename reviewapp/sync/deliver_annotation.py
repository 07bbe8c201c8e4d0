"""Deliver a change of an annotation: create it upstream, or bring it from what was read to what is wanted."""

from __future__ import annotations

from typing import Any

from reviewapp.annotations import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.said import BLANK, values_of
from reviewapp.audit.trace import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox import services as outbox
from reviewapp.outbox.merge import judge
from reviewapp.outbox.models import Change
from reviewapp.sync.proof import race, replaced, unproven
from reviewapp.sync.target import DeletedHere, Target, hold_claim

# What a new annotation is created from; an old one is found by its id alone.
_ADDRESS = (
    *("annotation_id", "document_id", "collection_id", "execution_id", "stage_name"),
    *("retriever_id", "retriever__retriever_id"),
)


def bring(change: Change, client: Client) -> None:
    """Read the annotation and bring it to what the change wants; one that upstream does not have yet is created."""
    annotation = Annotation.objects.select_related("retriever").only(*_ADDRESS).filter(ref=change.ref).first()
    if annotation is None:
        raise DeletedHere(change.ref)
    if annotation.annotation_id is None:
        _create(change, annotation, client)
    else:
        bring_from(client.get_annotation(annotation.annotation_id), change, client)


def bring_from(read: AnnotationRecord, change: Change, client: Client) -> None:
    """Bring upstream from what was just read to what the change wants, unless somebody's values are in the way."""
    judgement = judge(fields=change.fields, base=change.base, theirs=_theirs(change, read))
    before = _replaced_before(change, read)
    if judgement.conflicts:
        reason = f"Somebody else set {' and '.join(judgement.conflicts)} at Mixpeek meanwhile."
        return _conflict(change, read, reason, raced=before)
    merged = judgement.merged or None
    if not judgement.send:
        return _delivered(change, read, merged=merged, raced=before, version=read.version)
    hold_claim(change)
    reply = client.patch_annotation(read.annotation_id, judgement.send)
    if missing := unproven(reply, judgement.send):
        return _not_done(change, reply, missing)
    return _delivered(change, reply, merged=merged, raced=race(read, reply) or before, version=reply.version)


def _replaced_before(change: Change, read: AnnotationRecord) -> dict[str, Any] | None:
    """Return what this change wrote over when it was sent before and nobody heard the answer, if it did."""
    found = replaced(read, fields=change.fields, base=change.base, since=change.base_version)
    if found is None:
        return None
    # Our own changes before it set the same values perhaps, and count as the base.
    ours = Change.objects.about(change.ref).filter(
        id__lt=change.pk, state=Change.State.DELIVERED, version__isnull=False
    )
    latest = ours.values_list("version", flat=True).first()
    return replaced(read, fields=change.fields, base=change.base, since=max(change.base_version or 0, latest or 0))


def _create(change: Change, annotation: Annotation, client: Client) -> None:
    """Create the annotation upstream, unless it is there already: ours, its answer lost, or somebody else's.

    Mixpeek knows no idempotency key, so looking first is what keeps a retried create from making a second one.
    """
    retriever_id = annotation.retriever.retriever_id if annotation.retriever else None
    there = client.list_annotations(document_id=annotation.document_id, retriever_id=retriever_id, limit=500).items
    taken = set(
        Annotation.objects.filter(annotation_id__in=[record.annotation_id for record in there]).values_list(
            "annotation_id", flat=True
        )
    )
    free = [record for record in there if record.annotation_id not in taken and record.retriever_id == retriever_id]
    if free:
        return bring_from(min(free, key=lambda record: len(_differing(change, record))), change, client)
    # The create that came before may have been refused: then this change must bring all that its person saw.
    whole = BLANK | change.base | change.fields
    hold_claim(change)
    made = client.create_annotation(
        document_id=annotation.document_id,
        collection_id=annotation.collection_id or None,
        retriever_id=retriever_id,
        execution_id=annotation.execution_id or None,
        stage_name=annotation.stage_name or None,
        label=whole["label"],
        confidence=whole["confidence"],
        reasoning=whole["reasoning"] or None,
        payload=whole["payload"] or None,
        metadata=whole["metadata"] or None,
    )
    return _delivered(change, made, version=made.version)


def _differing(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    return judge(fields=change.fields, base=change.base, theirs=_theirs(change, record)).send


def _theirs(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    """Return what upstream has in the fields that the change knows of."""
    return {name: value for name, value in values_of(record).items() if name in change.fields or name in change.base}


def _delivered(change: Change, record: AnnotationRecord, **facts: Any) -> None:
    with acting(None):
        outbox.deliver(change, **facts)
        absorb.absorb([record])


def _conflict(change: Change, record: AnnotationRecord, reason: str, *, raced: dict[str, Any] | None) -> None:
    with acting(None):
        outbox.conflict(change, theirs=_theirs(change, record), reason=reason, version=record.version, raced=raced)
        absorb.absorb([record])
        absorb.rebase(change.ref)


def _not_done(change: Change, record: AnnotationRecord, missing: dict[str, str]) -> None:
    with acting(None):
        outbox.refuse(change, reason="Mixpeek said yes but did not do it.", field_errors=missing)
        absorb.absorb([record])
        absorb.rebase(change.ref)


def _rebase(ref: str) -> None:
    if Annotation.objects.filter(ref=ref).exists():
        absorb.rebase(ref)


def _mark_gone(ref: str) -> None:
    ids = Annotation.objects.filter(ref=ref).values_list("annotation_id", flat=True)
    absorb.mark_gone([annotation_id for annotation_id in ids if annotation_id])


TARGET = Target(word="annotation", bring=bring, rebase=_rebase, mark_gone=_mark_gone)
