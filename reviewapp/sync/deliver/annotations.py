"""Deliver a change of an annotation: create it upstream, or bring it from what was read to what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.mirror.absorb import still_uncleared
from reviewapp.annotations.mirror.from_upstream import BLANK, decision_in, revisions_of, unstamped, values_of
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.value_authorship import PERSONAL_FIELDS
from reviewapp.json_values import same
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Refused
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.merge import Judgement, judge
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import create_lookup
from reviewapp.sync.deliver.null_support import clears_null, is_refused_null, nulls_in, remember, without_nulls
from reviewapp.sync.deliver.outcome import Outcome, Target, conflicting, delivered, hold_claim, refused
from reviewapp.sync.deliver.provenance import lacks_author, stamped, with_stamp
from reviewapp.sync.deliver.verify import race, replaced, unproven
from reviewapp.sync.models import NullSupport

# What a new annotation is created from; an old one is found by its id alone.
_ADDRESS = (
    *("annotation_id", "document_id", "collection_id", "execution_id", "stage_name", "uncleared"),
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
    read = client.get_annotation(annotation.annotation_id)
    return bring_from(read, change, client, uncleared=annotation.uncleared)


def bring_from(
    read: AnnotationRecord, change: Change, client: Client, *, uncleared: Mapping[str, Any] | None = None
) -> Outcome:
    """Bring upstream from what was just read to what the change wants, unless somebody's values are in the way.

    A decision is always told by one PATCH, also when it changes no value: it says who looked. `uncleared` is what
    upstream still shows although an earlier decision cleared it.
    """
    uncleared = uncleared or {}
    judgement = judge_change(change, read, uncleared)
    before = replaced_before(change, read, uncleared)
    if settled := judged(change, read, judgement, before):
        return settled

    send = to_send(change, judgement, read)
    hold_claim(change, client)
    reply = _patched(read, change, send, client)

    left = left_uncleared(change, read, reply)
    proof = {name: value for name, value in send.items() if name not in left}
    if missing := unproven(reply, proof):
        return refused(change, "Mixpeek said yes but did not do it.", record=reply, field_errors=missing)

    outcome = delivered(
        change,
        reply,
        merged=judgement.merged or None,
        raced=race(read, reply) or before,
        version=version_made(change, read, reply),
        uncleared=left or None,
        without_author=lacks_author(reply, change),
    )
    return replace(outcome, uncleared=uncleared_after(change, uncleared, left))


def judge_change(change: Change, read: AnnotationRecord, uncleared: Mapping[str, Any]) -> Judgement:
    """Compare what a change wants with what was read; a value that an earlier decision cleared counts as blank."""
    still = still_uncleared(uncleared, values_of(read))
    theirs = theirs_of(change, read) | {name: BLANK[name] for name in still if name in (*change.fields, *change.base)}
    return judge(fields=wanted_by(change, read), base=change.base, theirs=theirs)


def to_send(change: Change, judgement: Judgement, read: AnnotationRecord) -> dict[str, Any]:
    """Return the fields to send: those that differ, and of a decision the label it is about, whatever stands there."""
    send = dict(judgement.send)
    if change.cause is None:
        return send

    wanted = wanted_by(change, read)
    if "label" in wanted:
        send = {"label": wanted["label"], **send}
    return send or wanted


def left_uncleared(change: Change, read: AnnotationRecord, reply: AnnotationRecord) -> dict[str, Any]:
    """Return the values that the change clears and that the reply holds as they were read before."""
    was, now = values_of(read), values_of(reply)
    return {
        name: now[name]
        for name in PERSONAL_FIELDS
        if name in change.fields
        and same(change.fields[name], BLANK[name])
        and not same(now[name], BLANK[name])
        and same(now[name], was[name])
    }


def uncleared_after(change: Change, before: Mapping[str, Any], left: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return all that upstream still shows although it was cleared; None when that is as it was before."""
    after = {name: value for name, value in before.items() if name not in change.fields} | dict(left)
    return None if same(after, before) else after


def version_made(change: Change, read: AnnotationRecord, reply: AnnotationRecord) -> int | None:
    """Return the version that the change made; a confirmation that changed nothing upstream made none."""
    if change.verb == Change.Verb.CONFIRM and reply.version == read.version:
        return None
    return reply.version


def change_reason(change: Change) -> str:
    """Return what the audit log of Mixpeek is told of a write: our decision id and what it is, without names."""
    if change.verb == Change.Verb.CREATE:
        what = "annotate"
    elif change.verb == Change.Verb.CONFIRM:
        what = "confirm"
    elif not same(change.fields.get("label"), change.base.get("label")) and "label" in change.fields:
        what = "relabel"
    else:
        what = "correct"
    return f"decision {change.cause}: {what}" if change.cause else f"change {change.pk}: {what}"


def _patched(read: AnnotationRecord, change: Change, send: dict[str, Any], client: Client) -> AnnotationRecord:
    """Send the fields and whose decision it is, and return the reply.

    1. Leave nulls out where the server is known not to clear by them. 2. Where it refuses a null, send the rest.
    3. Where it refuses only the stamp, send without it.
    """
    nulls = nulls_in(send)
    if nulls and not clears_null():
        return _patch(read, change, stamped(without_nulls(send), change, read), client)

    whole = stamped(send, change, read)
    try:
        reply = _patch(read, change, whole, client)
    except Refused as error:
        if is_refused_null(error, nulls):
            rest = stamped(without_nulls(send), change, read)
            reply = _patch_again(read, change, rest, client)
            remember(NullSupport.Mode.REFUSES)
            return reply
        if _is_about_stamp(error, whole, send):
            return _patch_again(read, change, send, client)
        raise

    if nulls:
        kept = nulls & left_uncleared(change, read, reply).keys()
        remember(NullSupport.Mode.IGNORES if kept else NullSupport.Mode.CLEARS)
    return reply


def _patch_again(read: AnnotationRecord, change: Change, values: dict[str, Any], client: Client) -> AnnotationRecord:
    hold_claim(change, client)
    return _patch(read, change, values, client)


def _patch(read: AnnotationRecord, change: Change, values: dict[str, Any], client: Client) -> AnnotationRecord:
    if not values:
        return read
    return client.patch_annotation(read.annotation_id, values, change_reason=change_reason(change))


def _is_about_stamp(error: Refused, whole: Mapping[str, Any], send: Mapping[str, Any]) -> bool:
    """Return whether a refusal names what was sent only to say who decided."""
    only_stamp = {name for name in whole if name not in send}
    return bool(only_stamp & {name.partition(".")[0] for name in error.fields})


def wanted_by(change: Change, read: AnnotationRecord) -> dict[str, Any]:
    """Return the fields that a change sets; a stamp that somebody copied along is no value of theirs.

    Cleared metadata is an empty object where metadata is known: that is what such a server shows of it.
    """
    wanted = {name: unstamped(value) for name, value in change.fields.items()}
    if "metadata" in wanted and read.metadata is not None:
        wanted["metadata"] = wanted["metadata"] or {}
    return wanted


def replaced_before(change: Change, read: AnnotationRecord, uncleared: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what this change wrote over when it was sent before and nobody heard the answer, if it did."""
    base = {**change.base, **{name: value for name, value in uncleared.items() if name in change.base}}
    found = replaced(read, fields=change.fields, base=base, since=change.base_version)
    if found is None:
        return None
    # Our own changes before it set the same values perhaps, and count as the base.
    ours = Change.objects.about(change.ref).filter(
        id__lt=change.pk, state=Change.State.DELIVERED, version__isnull=False
    )
    latest = ours.values_list("version", flat=True).first()
    return replaced(read, fields=change.fields, base=base, since=max(change.base_version or 0, latest or 0))


def judged(
    change: Change, read: AnnotationRecord, judgement: Judgement, before: dict[str, Any] | None
) -> Outcome | None:
    """Return the outcome when there is nothing to send: a conflict, or upstream has this very decision already.

    `before` is what an earlier send of it wrote over (`replaced_before`).
    """
    if judgement.conflicts:
        theirs = theirs_of(change, read)
        return conflicting(change, read, judgement.conflicts, theirs=theirs, version=read.version, raced=before)
    if not judgement.send and has_arrived(change, read):
        version = version_of_decision(change, read)
        return delivered(change, read, merged=judgement.merged or None, version=version, raced=before)
    return None


def has_arrived(change: Change, read: AnnotationRecord) -> bool:
    """Return whether upstream has what the change wants, when the values there are as it wants them.

    A decision about an annotation that was there before has to be told, so only its stamp proves that it was.
    """
    if change.cause is None or change.verb == Change.Verb.CREATE:
        return True
    return decision_in(read) == str(change.cause)


def version_of_decision(change: Change, read: AnnotationRecord) -> int | None:
    """Return the version that brought the decision, as far as its revision tells; else the one that stands."""
    for revision in reversed(revisions_of(read)):
        if change.cause is not None and revision.get("decision_id") == str(change.cause):
            return int(revision["version"]) + 1
    return read.version


def _create(change: Change, annotation: Annotation, client: Client) -> Outcome:
    """Create the annotation upstream, unless it is there already: ours, its answer lost, or somebody else's."""
    there = create_lookup.look(annotation, client)
    if free := create_lookup.free(there, annotation):
        nearest = min(free, key=lambda record: len(_differing(change, record)))
        ours = create_lookup.made_by(change, free) or (None if _differing(change, nearest) else nearest)
        outcome = bring_from(ours or nearest, change, client)
        others = [record for record in free if record is not ours] if ours and change.maybe_sent else []
        return create_lookup.noting(outcome, others)
    if taken := create_lookup.taken_meanwhile(annotation):
        return bring_from(client.get_annotation(taken), change, client)
    hold_claim(change, client)
    made = _made(change, annotation, client)
    others = create_lookup.others_since(there, made, annotation, client)
    outcome = delivered(change, made, version=made.version, without_author=lacks_author(made, change))
    return create_lookup.noting(outcome, others)


def _made(change: Change, annotation: Annotation, client: Client) -> AnnotationRecord:
    # The create that came before may have been refused: then this change must bring all that its person saw.
    whole = BLANK | change.base | change.fields
    if settings.MIXPEEK_WHO != "metadata" or _metadata_is_known():
        given = {name: value for name, value in whole.items() if value is not None}
        whole |= with_stamp(given, change, there=None)
    return client.create_annotation(
        document_id=annotation.document_id,
        collection_id=annotation.collection_id or None,
        retriever_id=create_lookup.retriever_of(annotation),
        execution_id=annotation.execution_id or None,
        stage_name=annotation.stage_name or None,
        label=whole["label"],
        confidence=whole["confidence"],
        reasoning=whole["reasoning"] or None,
        payload=whole["payload"] or None,
        metadata=whole["metadata"] or None,
        change_reason=change_reason(change),
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


def _note_uncleared(ref: str, uncleared: Mapping[str, Any]) -> None:
    if Annotation.objects.filter(ref=ref).exists():
        absorb.note_uncleared(ref, uncleared)


TARGET = Target(
    word="annotation",
    find=find,
    bring=bring,
    absorb=absorb.absorb,
    rebase=_rebase,
    mark_gone=_mark_gone,
    note_uncleared=_note_uncleared,
)
