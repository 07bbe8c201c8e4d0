"""Settle changes: many in one statement, each once. A change leaves the state `queued` once."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from reviewapp.outbox.models import Change
from reviewapp.outbox.signals import moved
from reviewapp.postgres.storable_json import holdable

_log = logging.getLogger(__name__)
_MOST_VERSION = 2**31
_JSON = ("field_errors", "theirs", "merged", "raced", "uncleared")

_SETTLE = """
UPDATE outbox_change c SET settled_at = %s, state = s.state, reason = coalesce(s.reason, ''),
    field_errors = coalesce(s.field_errors, c.field_errors), theirs = coalesce(s.theirs, c.theirs),
    merged = coalesce(s.merged, c.merged), raced = coalesce(s.raced, c.raced), version = coalesce(s.version, c.version),
    uncleared = coalesce(s.uncleared, c.uncleared), without_author = coalesce(s.without_author, c.without_author),
    upstream_request_id = coalesce(s.upstream_request_id, c.upstream_request_id)
FROM jsonb_to_recordset(%s::jsonb) AS s (id bigint, state text, reason text, field_errors jsonb, theirs jsonb,
    merged jsonb, raced jsonb, uncleared jsonb, without_author boolean, version int, upstream_request_id text)
WHERE c.id = s.id AND c.state = 'queued' RETURNING c.id
"""


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """How a change ended: delivered, in conflict or refused, and what is known of it (see `Change`)."""

    change: Change
    state: Change.State
    reason: str = ""
    theirs: Mapping[str, Any] | None = None
    merged: Mapping[str, Any] | None = None
    raced: Mapping[str, Any] | None = None
    uncleared: Mapping[str, Any] | None = None
    without_author: bool = False
    field_errors: Mapping[str, str] | None = None
    version: int | None = None
    upstream_request_id: str = ""

    def columns(self) -> dict[str, Any]:
        """Return what is known as the table holds it."""
        known = {name: getattr(self, name) for name in (*_JSON, "version") if getattr(self, name) is not None}
        if not -_MOST_VERSION < known.get("version", 0) < _MOST_VERSION:
            del known["version"]
        known |= {"upstream_request_id": self.upstream_request_id} if self.upstream_request_id else {}
        held = {name: holdable(dict(value) if name in _JSON else value) for name, value in known.items()}
        settled = {"state": str(self.state), "reason": holdable(self.reason), "without_author": self.without_author}
        return held | settled


def settle(settlements: Sequence[Settlement]) -> set[int]:
    """Settle queued changes; returns the keys of those that were not settled before."""
    if not settlements:
        return set()
    now, columns = timezone.now(), {each.change.pk: each.columns() for each in settlements}
    rows = json.dumps([{"id": pk, **values} for pk, values in columns.items()])
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [now, rows])
        settled = {pk for (pk,) in cursor.fetchall()}
    for change in (each.change for each in settlements):
        for name, value in ({"settled_at": now} | columns[change.pk]).items():
            setattr(change, name, value)
        if change.pk in settled:
            tell(change, change.state)
    return settled


def tell(change: Change, outcome: str) -> None:
    """Log the outcome and tell who listens, once it is committed; the reason may hold people's words and stays out."""
    ref = change.ref

    def told() -> None:
        _log.info("change %s", outcome, extra={"ref": ref})
        moved.send_robust(sender=Change, outcome=outcome, ref=ref)

    transaction.on_commit(told)
