"""Deliver a change of an annotation: create it upstream, or read, compare and PATCH it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from reviewapp.annotations.fields import BLANK_VALUES, PERSONAL_FIELDS, STORED_FIELDS
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.mirror.absorb import still_uncleared
from reviewapp.annotations.mirror.from_upstream import (
    decision_id_in,
    revisions_of,
    values_of,
    without_stamp,
)
from reviewapp.annotations.models import Annotation
from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Refused
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.merge import Judgement, judge
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import cannot_tell, create_lookup
from reviewapp.sync.deliver.null_support import (
    clears_null,
    is_refused_null,
    nulls_in,
    refused_names,
    remember_mode,
    without_nulls,
)
from reviewapp.sync.deliver.outcome import (
    DeliveryOutcome,
    Handler,
    conflicting,
    delivered,
    ensure_claim,
    refused,
)
from reviewapp.sync.deliver.provenance import (
    change_reason,
    lacks_author,
    stamped,
    unstamped,
    with_stamp,
)
from reviewapp.sync.deliver.verify import lost_update, missing_fields, overwritten_by_retry
from reviewapp.sync.models import NullSupport

# The columns that a delivery needs: most of them only to create the annotation.
_COLUMNS = (
    "ref",
    "annotation_id",
    "document_id",
    "collection_id",
    "execution_id",
    "stage_name",
    "uncleared",
    "retriever_id",
    "retriever__retriever_id",
)


def load_rows(refs: Sequence[str]) -> dict[str, Annotation]:
    """Return these annotations by ref, with the columns that a delivery needs."""
    rows = Annotation.objects.select_related("retriever").only(*_COLUMNS)
    return rows.by_ref(refs)


def deliver(change: Change, annotation: Annotation, client: Client) -> DeliveryOutcome:
    """Read the annotation and apply the change to it; create it if upstream does not have it."""
    if not change.sets_values:
        return cannot_tell.deliver(change, annotation, client)
    if annotation.annotation_id is None:
        return _create(change, annotation, client)
    read = client.get_annotation(annotation.annotation_id)
    return deliver_from_record(read, change, client, uncleared=annotation.uncleared)


def deliver_from_record(
    read: AnnotationRecord,
    change: Change,
    client: Client,
    *,
    uncleared: Mapping[str, Any] | None = None,
) -> DeliveryOutcome:
    """Apply the change upstream to what was just read, unless it conflicts with other edits.

    Every decision is sent as one PATCH, even if it changes no value: it says who decided.
    `uncleared` is what upstream still shows although an earlier decision cleared it.
    """
    uncleared = uncleared or {}
    judgement = judge_change(change, read, uncleared)
    overwritten = overwritten_before(change, read, uncleared)
    outcome = outcome_without_write(change, read, judgement, overwritten)
    if outcome:
        return outcome

    send = fields_to_send(change, judgement, read)
    ensure_claim(change, client)
    reply = _patch_with_stamp(read, change, send, client)

    not_cleared = values_not_cleared(change, read, reply)
    expected = {name: value for name, value in send.items() if name not in not_cleared}
    missing = missing_fields(reply, expected)
    if missing:
        reason = "Mixpeek accepted the change but did not make it."
        return refused(change, reason, record=reply, field_errors=missing)

    outcome = delivered(
        change,
        reply,
        merged=judgement.merged or None,
        raced=lost_update(read, reply) or overwritten,
        version=version_made(change, read, reply),
        uncleared=not_cleared or None,
        without_author=lacks_author(reply, change),
    )
    return replace(outcome, uncleared=uncleared_after(change, uncleared, not_cleared))


def judge_change(
    change: Change,
    read: AnnotationRecord,
    uncleared: Mapping[str, Any],
) -> Judgement:
    """Compare a change with what was read; a value that an earlier decision cleared is blank."""
    theirs = theirs_of(change, read)
    if uncleared:
        for name in still_uncleared(uncleared, values_of(read)):
            if name in change.fields or name in change.base:
                theirs[name] = BLANK_VALUES[name]
    return judge(fields=fields_wanted(change, read), base=change.base, theirs=theirs)


def fields_to_send(
    change: Change,
    judgement: Judgement,
    read: AnnotationRecord,
) -> dict[str, Any]:
    """Return the fields to send: those that differ, and always the label of a decision."""
    send = dict(judgement.send)
    if change.cause is None:
        return send

    wanted = fields_wanted(change, read)
    if "label" in wanted:
        send = {"label": wanted["label"], **send}
    return send or wanted


def values_not_cleared(
    change: Change,
    read: AnnotationRecord,
    reply: AnnotationRecord,
) -> dict[str, Any]:
    """Return the values that the change clears and that the reply still holds as they were read."""
    cleared = []
    for name in PERSONAL_FIELDS:
        if name in change.fields and is_same_json(change.fields[name], BLANK_VALUES[name]):
            cleared.append(name)
    if not cleared:
        return {}

    values_before = values_of(read)
    values = values_of(reply)
    not_cleared = {}
    for name in cleared:
        value = values[name]
        if not is_same_json(value, BLANK_VALUES[name]) and is_same_json(value, values_before[name]):
            not_cleared[name] = value
    return not_cleared


def uncleared_after(
    change: Change,
    before: Mapping[str, Any],
    not_cleared: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Return all that upstream still shows although it was cleared; None if equal to `before`."""
    after = {name: value for name, value in before.items() if name not in change.fields}
    after |= not_cleared
    if is_same_json(after, before):
        return None
    return after


def version_made(change: Change, read: AnnotationRecord, reply: AnnotationRecord) -> int | None:
    """Return the version that the change made; None for a confirmation that changed nothing."""
    if change.verb == Change.Verb.CONFIRM and reply.version == read.version:
        return None
    return reply.version


def _patch_with_stamp(
    read: AnnotationRecord,
    change: Change,
    send: dict[str, Any],
    client: Client,
) -> AnnotationRecord:
    """Send the fields and the stamp that says whose decision it is; returns the reply.

    Leaves nulls out where the server is known not to clear by them. Where it refuses nulls or the
    stamp, sends the rest again, each left out once.
    """
    fields = dict(send)
    if nulls_in(send) and not clears_null():
        fields = without_nulls(send)
    values = stamped(fields, change, read)
    has_stamp = True
    refuses_null = False
    reply = None

    while reply is None:
        try:
            reply = _patch(read, change, values, client)
        except Refused as error:
            if is_refused_null(error, nulls_in(fields)):
                refuses_null = True
                fields = without_nulls(fields)
                values = without_nulls(values)
            elif has_stamp and (values.keys() - fields.keys()) & refused_names(error):
                has_stamp = False
                values = unstamped(fields, read)
            else:
                raise
            ensure_claim(change, client)

    if refuses_null:
        remember_mode(NullSupport.Mode.REFUSES)
    elif nulls_in(fields):
        mode = NullSupport.Mode.CLEARS
        if nulls_in(fields) & values_not_cleared(change, read, reply).keys():
            mode = NullSupport.Mode.IGNORES
        remember_mode(mode)
    return reply


def _patch(
    read: AnnotationRecord,
    change: Change,
    values: dict[str, Any],
    client: Client,
) -> AnnotationRecord:
    if not values:
        return read
    return client.patch_annotation(
        read.annotation_id,
        values,
        change_reason=change_reason(change),
    )


def fields_wanted(change: Change, read: AnnotationRecord) -> dict[str, Any]:
    """Return the fields that a change sets, without a stamp that somebody copied along.

    Cleared metadata is an empty object where the server has metadata, as it will return it.
    """
    wanted = {name: without_stamp(value) for name, value in change.fields.items()}
    if "metadata" in wanted and read.metadata is not None:
        wanted["metadata"] = wanted["metadata"] or {}
    return wanted


def overwritten_before(
    change: Change,
    read: AnnotationRecord,
    uncleared: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Return what an earlier attempt of this change, its reply lost, wrote over; else None."""
    base = dict(change.base)
    for name, value in uncleared.items():
        if name in change.base:
            base[name] = value

    overwritten = overwritten_by_retry(
        read,
        fields=change.fields,
        base=base,
        since=change.base_version,
    )
    if overwritten is None:
        return None

    # Our own earlier changes may have set the same values; they count as the base.
    own_versions = Change.objects.about(change.ref).filter(
        id__lt=change.pk,
        state=Change.State.DELIVERED,
        version__isnull=False,
    )
    latest_version = own_versions.values_list("version", flat=True).first()
    return overwritten_by_retry(
        read,
        fields=change.fields,
        base=base,
        since=max(change.base_version or 0, latest_version or 0),
    )


def outcome_without_write(
    change: Change,
    read: AnnotationRecord,
    judgement: Judgement,
    overwritten: dict[str, Any] | None,
) -> DeliveryOutcome | None:
    """Return the outcome if there is nothing to send: a conflict, or the decision has arrived.

    `overwritten` is what an earlier attempt wrote over (`overwritten_before`).
    """
    if judgement.conflicts:
        return conflicting(
            change,
            read,
            judgement.conflicts,
            theirs=theirs_of(change, read),
            version=read.version,
            raced=overwritten,
        )

    if not judgement.send and has_arrived(change, read):
        return delivered(
            change,
            read,
            merged=judgement.merged or None,
            version=version_of_decision(change, read),
            raced=overwritten,
        )
    return None


def has_arrived(change: Change, read: AnnotationRecord) -> bool:
    """Return whether an earlier attempt delivered the change, given that the values are as wanted.

    A decision about an existing annotation must be sent even then; only its stamp proves that it
    was.
    """
    if change.cause is None or change.verb == Change.Verb.CREATE:
        return True
    return decision_id_in(read) == str(change.cause)


def version_of_decision(change: Change, read: AnnotationRecord) -> int | None:
    """Return the version that the decision made, by its revision; else the current version."""
    if change.cause is None:
        return read.version
    for revision in reversed(revisions_of(read)):
        if revision.get("decision_id") == str(change.cause):
            return int(revision["version"]) + 1
    return read.version


def _create(change: Change, annotation: Annotation, client: Client) -> DeliveryOutcome:
    """Create the annotation upstream, unless it exists there already.

    An existing one is ours, if the reply to an earlier attempt was lost, or somebody else's.
    """
    existing = create_lookup.list_existing(annotation, client)
    candidates = create_lookup.without_mirrored(existing, annotation)
    if candidates:
        nearest = min(candidates, key=lambda record: len(_differences(change, record)))
        own_record = create_lookup.find_own_record(change, candidates)
        if own_record is None and not _differences(change, nearest):
            own_record = nearest

        outcome = deliver_from_record(own_record or nearest, change, client)
        others: list[AnnotationRecord] = []
        if own_record and change.maybe_sent:
            others = [record for record in candidates if record is not own_record]
        return create_lookup.with_concurrent(outcome, others)

    pulled_id = create_lookup.pulled_annotation_id(annotation)
    if pulled_id:
        return deliver_from_record(client.get_annotation(pulled_id), change, client)

    ensure_claim(change, client)
    created = _send_create(change, annotation, client)
    others = create_lookup.created_since(existing, created, annotation, client)
    outcome = delivered(
        change,
        created,
        version=created.version,
        without_author=lacks_author(created, change),
    )
    return create_lookup.with_concurrent(outcome, others)


def _send_create(change: Change, annotation: Annotation, client: Client) -> AnnotationRecord:
    # An earlier create may have been refused: this change must then send all that its person saw.
    values = BLANK_VALUES | change.base | change.fields
    may_stamp = True
    if settings.MIXPEEK_WHO == "metadata":
        # The newest annotation that the server returned shows whether it has metadata.
        returned = Annotation.objects.filter(annotation_id__isnull=False).order_by("-id")
        newest_metadata = returned.values_list("upstream__metadata", flat=True).first()
        may_stamp = newest_metadata is not None
    if may_stamp:
        values |= with_stamp(without_nulls(values), change, current=None)

    optional_values = {}
    for name in STORED_FIELDS:
        if name != "label" and values[name] not in ("", {}):
            optional_values[name] = values[name]

    return client.create_annotation(
        document_id=annotation.document_id,
        collection_id=annotation.collection_id or None,
        retriever_id=create_lookup.retriever_id_of(annotation),
        execution_id=annotation.execution_id or None,
        stage_name=annotation.stage_name or None,
        label=values["label"],
        **optional_values,
        change_reason=change_reason(change),
    )


def _differences(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    judgement = judge(
        fields=fields_wanted(change, record),
        base=change.base,
        theirs=theirs_of(change, record),
    )
    return judgement.send


def theirs_of(change: Change, record: AnnotationRecord) -> dict[str, Any]:
    """Return upstream's values of the fields that the change sets or was made from."""
    names = {*change.fields, *change.base}
    return {name: value for name, value in values_of(record).items() if name in names}


def mark_gone(ref: str) -> None:
    """Note that upstream does not have the annotation any more."""
    annotation = Annotation.objects.filter(ref=ref).only("annotation_id").first()
    if annotation is not None and annotation.annotation_id:
        absorb.mark_gone([annotation.annotation_id])


HANDLER = Handler(
    noun="annotation",
    load_rows=load_rows,
    deliver=deliver,
    lock_rows=absorb.lock_rows,
    absorb=absorb.absorb,
    rebase=absorb.rebase,
    mark_gone=mark_gone,
    note_uncleared=absorb.record_uncleared,
)
