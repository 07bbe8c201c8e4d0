"""Deliver a change of an annotation: create it upstream, or bring it from what was read to what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from reviewapp.annotations import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.said import BLANK, unstamped, values_of
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Refused
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.merge import Judgement, judge
from reviewapp.outbox.models import Change
from reviewapp.sync import places
from reviewapp.sync.proof import race, replaced, unproven
from reviewapp.sync.stamp import stamped, with_stamp
from reviewapp.sync.target import Outcome, Target, conflicting, delivered, hold_claim, refused

# What a new annotation is created from; an old one is found by its id alone.
_ADDRESS = (
    *("annotation_id", "document_id", "collection_id", "execution_id", "stage_name"),
    *("retriever_id", "retriever__retriever_id"),
)


def find(refs: Sequence[str]) -> dict[str, Annotation]:
    """Return what delivering needs to know of these annotations, by ref."""
    rows = Annotation.objects.select_related("retriever").only("ref", *_ADDRESS)
    return rows.by_ref(refs)


def bring(change: Change, annotation: Annotation, client: Client) -> Outcome:
    """Read the annotation and bring it to what the change wants; one that upstream does not have yet is created."""
    if annotation.annotation_id is None:
        return _create(change, annotation, client)
    return bring_from(client.get_annotation(annotation.annotation_id), change, client)


def bring_from(read: AnnotationRecord, change: Change, client: Client) -> Outcome:
    """Bring upstream from what was just read to what the change wants, unless somebody's values are in the way."""
    judgement = judge(fields=wanted_by(change, read), base=change.base, theirs=theirs_of(change, read))
    before = replaced_before(change, read)
    if settled := judged(change, read, judgement, before):
        return settled
    hold_claim(change, client)
    reply = _patched(read, change, judgement.send, client)
    if missing := unproven(reply, judgement.send):
        return refused(change, "Mixpeek said yes but did not do it.", record=reply, field_errors=missing)
    raced = race(read, reply) or before
    return delivered(change, reply, merged=judgement.merged or None, raced=raced, version=reply.version)


def _patched(read: AnnotationRecord, change: Change, send: dict[str, Any], client: Client) -> AnnotationRecord:
    """Send it, and whose decision it is; without that where only that was refused."""
    whole = stamped(send, change, read)
    try:
        return client.patch_annotation(read.annotation_id, whole)
    except Refused as error:
        ours = {name for name in whole if name not in send}
        if not ours & {name.partition(".")[0] for name in error.fields}:
            raise
        hold_claim(change, client)
        return client.patch_annotation(read.annotation_id, send)


def wanted_by(change: Change, read: AnnotationRecord) -> dict[str, Any]:
    """Return the fields that a change sets; a stamp that somebody copied along is no value of theirs.

    Cleared metadata is an empty object where metadata is known: that is what such a server shows of it.
    """
    wanted = {name: unstamped(value) for name, value in change.fields.items()}
    if "metadata" in wanted and read.metadata is not None:
        wanted["metadata"] = wanted["metadata"] or {}
    return wanted


def replaced_before(change: Change, read: AnnotationRecord) -> dict[str, Any] | None:
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


def judged(
    change: Change, read: AnnotationRecord, judgement: Judgement, before: dict[str, Any] | None
) -> Outcome | None:
    """Return the outcome when there is nothing to send: a conflict, or upstream is as wanted already. Pure.

    `before` is what an earlier send of it wrote over (`replaced_before`).
    """
    if judgement.conflicts:
        theirs = theirs_of(change, read)
        return conflicting(change, read, judgement.conflicts, theirs=theirs, version=read.version, raced=before)
    if not judgement.send:
        return delivered(change, read, merged=judgement.merged or None, version=read.version, raced=before)
    return None


def _create(change: Change, annotation: Annotation, client: Client) -> Outcome:
    """Create the annotation upstream, unless it is there already: ours, its answer lost, or somebody else's."""
    there = places.look(annotation, client)
    if free := places.free(there, annotation):
        nearest = min(free, key=lambda record: len(_differing(change, record)))
        ours = places.made_by(change, free) or (None if _differing(change, nearest) else nearest)
        outcome = bring_from(ours or nearest, change, client)
        others = [record for record in free if record is not ours] if ours and change.maybe_sent else []
        return places.noting(outcome, others)
    if taken := places.taken_meanwhile(annotation):
        return bring_from(client.get_annotation(taken), change, client)
    hold_claim(change, client)
    made = _made(change, annotation, client)
    others = places.others_since(there, made, annotation, client)
    return places.noting(delivered(change, made, version=made.version), others)


def _made(change: Change, annotation: Annotation, client: Client) -> AnnotationRecord:
    # The create that came before may have been refused: then this change must bring all that its person saw.
    whole = BLANK | change.base | change.fields
    if settings.MIXPEEK_WHO != "metadata" or _metadata_is_known():
        given = {name: value for name, value in whole.items() if value is not None}
        whole |= with_stamp(given, change, there=None)
    return client.create_annotation(
        document_id=annotation.document_id,
        collection_id=annotation.collection_id or None,
        retriever_id=places.retriever_of(annotation),
        execution_id=annotation.execution_id or None,
        stage_name=annotation.stage_name or None,
        label=whole["label"],
        confidence=whole["confidence"],
        reasoning=whole["reasoning"] or None,
        payload=whole["payload"] or None,
        metadata=whole["metadata"] or None,
    )


def _metadata_is_known() -> bool:
    """Return whether the server told of any metadata when it was last heard of."""
    known = Annotation.objects.filter(annotation_id__isnull=False).order_by("-id")
    newest = known.values_list("upstream__metadata", flat=True)
    return newest.first() is not None


def _differing(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    return judge(fields=wanted_by(change, record), base=change.base, theirs=theirs_of(change, record)).send


def theirs_of(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    """Return what upstream has in the fields that the change knows of."""
    return {name: value for name, value in values_of(record).items() if name in change.fields or name in change.base}


def _rebase(ref: str) -> None:
    if Annotation.objects.filter(ref=ref).exists():
        absorb.rebase(ref)


def _mark_gone(ref: str) -> None:
    ids = Annotation.objects.filter(ref=ref).values_list("annotation_id", flat=True)
    absorb.mark_gone([annotation_id for annotation_id in ids if annotation_id])


TARGET = Target(word="annotation", find=find, bring=bring, absorb=absorb.absorb, rebase=_rebase, mark_gone=_mark_gone)
