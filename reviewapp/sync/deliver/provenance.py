"""The stamp that tells Mixpeek who decided, as it sees one API key instead of our people.

| key | value |
|---|---|
| `decision_id` | the decision's id |
| `reviewer` | who decided |
| `time` | when, in ISO 8601 |
| `outcome` | `cannot_tell` or `reverted`; absent if the annotation's values are the decision |
| `reason` | of `cannot_tell`: why, in the person's words |

`MIXPEEK_WHO` says where the stamp goes: `metadata` (on servers that have it), `payload` or nowhere.
`MIXPEEK_REVIEWER` says who it names: by default a pseudonym, since Mixpeek copies annotation
metadata onto document fields that can be filtered.

Every decision's PATCH carries the stamp. Mixpeek replaces both objects as a whole, so the values
just read are sent along. Bulk writes cannot set metadata and carry the stamp only in `payload`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from reviewapp.annotations.mirror.from_upstream import (
    CANNOT_TELL,
    STAMP_KEY,
    decision_id_in,
    stamp_of,
    without_stamp,
)
from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change

NOWHERE = "none"
STAMPED_FIELDS = ("metadata", "payload")


def stamped(
    send: Mapping[str, Any],
    change: Change,
    read: AnnotationRecord,
    *,
    bulk: bool = False,
) -> dict[str, Any]:
    """Return the fields to send, with the stamp if it may be sent."""
    target = settings.MIXPEEK_WHO
    if bulk and target != "payload":
        return dict(send)
    has_no_place = target == NOWHERE or (target == "metadata" and read.metadata is None)
    if has_no_place:
        is_decision = change.cause is not None and change.sets_values
        return unstamped(send, read) if is_decision else dict(send)
    return with_stamp(send, change, current=getattr(read, target, None))


def unstamped(send: Mapping[str, Any], read: AnnotationRecord) -> dict[str, Any]:
    """Return the fields to send without a stamp.

    A stamp that says "can't tell" is removed: it would go on saying so beside the new values.
    """
    values = dict(send)
    for name in STAMPED_FIELDS:
        current = getattr(read, name)
        if name not in send and stamp_of(current).get("outcome") == CANNOT_TELL:
            values[name] = without_stamp(current)
    return values


def with_stamp(
    send: Mapping[str, Any],
    change: Change,
    *,
    current: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the fields to send, with the stamp merged into the `current` object.

    Metadata that the change clears stays clear.
    """
    target = settings.MIXPEEK_WHO
    is_cleared = target == "metadata" and target in send and not send[target]
    if target == NOWHERE or change.cause is None or is_cleared:
        return dict(send)

    value = send.get(target, current) or {}
    return {**send, target: {**value, STAMP_KEY: build_stamp(change)}}


def lacks_author(record: AnnotationRecord, change: Change) -> bool:
    """Return whether the record lacks the stamp of this decision, although stamps are sent."""
    if settings.MIXPEEK_WHO == NOWHERE or change.cause is None:
        return False
    return decision_id_in(record) != str(change.cause)


def build_stamp(change: Change) -> dict[str, str]:
    """Return the stamp that says whose decision the change tells; of "can't tell" also what."""
    reviewer = change.actor_pseudonym
    if settings.MIXPEEK_REVIEWER == "username":
        reviewer = change.actor_name

    stamp = {
        "decision_id": decision_id_of(change),
        "reviewer": reviewer,
        "time": change.created_at.isoformat(timespec="seconds"),
    }
    if not change.sets_values:
        stamp |= change.fields
    return stamp


def decision_id_of(change: Change) -> str:
    """Return the decision that a change tells or reverts; "" if no decision made it."""
    if change.verb == Change.Verb.REVERT:
        return str(change.base["decision_id"])
    return str(change.cause) if change.cause else ""


def change_reason(change: Change) -> str:
    """Return the reason for Mixpeek's audit log: our decision id and the action, without names."""
    base_label = change.base.get("label")
    label = change.fields.get("label", base_label)
    is_relabelled = not is_same_json(label, base_label)
    if change.verb == Change.Verb.CREATE:
        action = "annotate"
    elif change.verb == Change.Verb.SET and is_relabelled:
        action = "relabel"
    elif change.verb == Change.Verb.SET:
        action = "correct"
    else:
        action = str(change.verb)

    decision_id = decision_id_of(change)
    if decision_id:
        return f"decision {decision_id}: {action}"
    return f"change {change.pk}: {action}"
