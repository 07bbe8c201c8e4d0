"""Who decided, told upstream: Mixpeek sees one key instead of our people.

`MIXPEEK_WHO` says where it goes: into `metadata` (of servers that know it), into `payload`, or nowhere.
`MIXPEEK_REVIEWER` says who it is: by default a pseudonym, since Mixpeek copies annotation metadata onto document
fields that can be filtered. It goes with the PATCH that every decision makes. Mixpeek replaces both objects as a whole,
so what was just read of them is sent along. Bulk cannot set metadata: what goes in bulk says it only in `payload`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from reviewapp.annotations.mirror.from_upstream import STAMP, decision_in
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change

NOWHERE = "none"


def stamped(send: Mapping[str, Any], change: Change, read: AnnotationRecord, *, bulk: bool = False) -> dict[str, Any]:
    """Return what to send, with the stamp where it can be."""
    where = settings.MIXPEEK_WHO
    if where == "metadata" and (bulk or read.metadata is None):
        return dict(send)
    return with_stamp(send, change, there=getattr(read, where, None))


def with_stamp(send: Mapping[str, Any], change: Change, *, there: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what to send with the stamp merged into what is `there`; metadata that are to be cleared stay so."""
    where = settings.MIXPEEK_WHO
    cleared = where == "metadata" and where in send and not send[where]
    if where == NOWHERE or change.cause is None or cleared:
        return dict(send)
    merged = {**(send.get(where, there) or {}), STAMP: _stamp(change)}
    return {**send, where: merged}


def lacks_author(record: AnnotationRecord, change: Change) -> bool:
    """Return whether Mixpeek's record does not say who made this decision, although it was to be told."""
    if settings.MIXPEEK_WHO == NOWHERE or change.cause is None:
        return False
    return decision_in(record) != str(change.cause)


def _stamp(change: Change) -> dict[str, str]:
    reviewer = change.actor_name if settings.MIXPEEK_REVIEWER == "username" else change.actor_pseudonym
    return {
        "decision_id": str(change.cause),
        "reviewer": reviewer,
        "time": change.created_at.isoformat(timespec="seconds"),
    }
