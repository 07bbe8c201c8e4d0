"""Deliver "can't tell", or its reversal: a PATCH of our stamp alone, which sets no value.

The stamp says the outcome and the reason (`provenance`). The annotation's own `reasoning` stays the
machine's: it argues for the label, while the person argues for no label. What others set meanwhile
stays as well, so there is neither a conflict nor a merge.

Where the stamp may not be sent (`MIXPEEK_WHO=none`, a server without metadata), nothing upstream
can say "can't tell" honestly. Then nothing is sent: the change is withdrawn, with the reason.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from reviewapp.annotations.mirror.from_upstream import (
    CANNOT_TELL,
    STAMP_KEY,
    revisions_of,
    stamp_in,
    stamp_of,
    without_stamp,
)
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change
from reviewapp.outbox.settle import Settlement
from reviewapp.sync.deliver.outcome import DeliveryOutcome, delivered, ensure_claim, refused
from reviewapp.sync.deliver.provenance import (
    NOWHERE,
    STAMPED_FIELDS,
    build_stamp,
    change_reason,
    decision_id_of,
    stamped,
)
from reviewapp.sync.deliver.verify import lost_update, missing_fields

_NO_ANNOTATION = "Not sent: Mixpeek has no annotation of this document yet."
_NO_AUTHORS = "Not sent, because the setting MIXPEEK_WHO is none."
_NO_METADATA = "Not sent: this Mixpeek server stores no metadata of annotations."
_NOT_DONE = "Mixpeek accepted the change but did not make it."


def deliver(change: Change, annotation: Annotation, client: Client) -> DeliveryOutcome:
    """Read the annotation and set our stamp on it; raises what the client raises."""
    if annotation.annotation_id is None:
        return _not_sent(change, _NO_ANNOTATION)
    is_reversal = change.verb == Change.Verb.REVERT
    if settings.MIXPEEK_WHO == NOWHERE and not is_reversal:
        return _not_sent(change, _NO_AUTHORS)

    read = client.get_annotation(annotation.annotation_id)
    arrived = _arrived_earlier(change, read)
    if arrived:
        return arrived

    if is_reversal:
        return _revert(change, read, client)

    values = stamped({}, change, read)
    if not values:
        return _not_sent(change, _NO_METADATA, record=read)
    return _patch(change, values, read, client)


def _revert(change: Change, read: AnnotationRecord, client: Client) -> DeliveryOutcome:
    """Replace the stamp that says "can't tell"; remove it where no stamp may be sent any more."""
    values: dict[str, Any] = {}
    for name in STAMPED_FIELDS:
        current = getattr(read, name)
        stamp = stamp_of(current)
        if stamp.get("outcome") != CANNOT_TELL or stamp["decision_id"] != decision_id_of(change):
            continue
        values[name] = without_stamp(current)
        if name == settings.MIXPEEK_WHO:
            values[name] = {**values[name], STAMP_KEY: build_stamp(change)}

    if not values:
        # A later decision or somebody else's edit has replaced it.
        return delivered(change, read)
    return _patch(change, values, read, client)


def _patch(
    change: Change,
    values: dict[str, Any],
    read: AnnotationRecord,
    client: Client,
) -> DeliveryOutcome:
    """Send the objects with the stamp; the reply must have the stamp, and the rest unchanged."""
    ensure_claim(change, client)
    reply = client.patch_annotation(
        read.annotation_id,
        values,
        change_reason=change_reason(change),
    )

    unstamped = {name: without_stamp(value) for name, value in values.items()}
    errors = missing_fields(reply, unstamped)
    for name, value in values.items():
        if stamp_of(getattr(reply, name)) != stamp_of(value):
            errors.setdefault(name, "Mixpeek did not store who decided as it was sent.")
    if errors:
        return refused(change, _NOT_DONE, record=reply, field_errors=errors)
    return delivered(change, reply, version=reply.version, raced=lost_update(read, reply))


def _arrived_earlier(change: Change, read: AnnotationRecord) -> DeliveryOutcome | None:
    """Return the outcome if an earlier attempt, its reply lost, set the stamp; else None.

    The revisions prove it even where somebody has replaced the stamp since.
    """
    expected = (decision_id_of(change), change.fields["outcome"])
    for revision in reversed(revisions_of(read)):
        if (revision.get("decision_id"), revision.get("outcome")) == expected:
            return delivered(change, read, version=int(revision["version"]) + 1)

    stamp = stamp_in(read)
    if (stamp.get("decision_id"), stamp.get("outcome")) == expected:
        return delivered(change, read, version=read.version)
    return None


def _not_sent(
    change: Change,
    reason: str,
    *,
    record: AnnotationRecord | None = None,
) -> DeliveryOutcome:
    settlement = Settlement(change=change, state=Change.State.WITHDRAWN, reason=reason)
    return DeliveryOutcome(settlement=settlement, record=record)
