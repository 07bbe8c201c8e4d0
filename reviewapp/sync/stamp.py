"""Who decided, told upstream: Mixpeek sees one key instead of our people.

`MIXPEEK_WHO` says where it goes: into `metadata` (of servers that know it), into `payload`, or nowhere. It rides on a
PATCH that is sent anyway, so it makes no version, no request and no conflict of its own. Mixpeek replaces both objects
as a whole, so what was just read of them is sent along. Bulk cannot set metadata: what goes in bulk says it only in
`payload`; nothing is sent a second time for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from reviewapp.annotations.said import STAMP
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change


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
    if where == "none" or change.cause is None or cleared:
        return dict(send)
    merged = {**(send.get(where, there) or {}), STAMP: _stamp(change)}
    return {**send, where: merged}


def _stamp(change: Change) -> dict[str, str]:
    return {
        "decision_id": str(change.cause),
        "reviewer": change.actor_name,
        "time": change.created_at.isoformat(timespec="seconds"),
    }
