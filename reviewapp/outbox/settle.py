"""Settle changes, many in one statement; a change leaves the state `queued` once."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from reviewapp.outbox.models import Change
from reviewapp.outbox.signals import change_progressed
from reviewapp.postgres.statement import sql_file
from reviewapp.storable import storable_json

_log = logging.getLogger(__name__)
# Beyond this a version does not fit the column.
_VERSION_BOUND = 2**31
_JSON_FIELDS = ("field_errors", "theirs", "merged", "raced", "uncleared")

_SETTLE = sql_file(__file__, "settle.sql", int)


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """How a change ended: delivered, in conflict, refused or withdrawn (see `Change`)."""

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
        """Return the known values by column, as the table stores them."""
        columns: dict[str, Any] = {
            "state": str(self.state),
            "reason": storable_json(self.reason),
            "without_author": self.without_author,
        }
        for name in _JSON_FIELDS:
            value = getattr(self, name)
            if value is not None:
                columns[name] = storable_json(dict(value))

        if self.version is not None and -_VERSION_BOUND < self.version < _VERSION_BOUND:
            columns["version"] = self.version
        if self.upstream_request_id:
            columns["upstream_request_id"] = storable_json(self.upstream_request_id)
        return columns


def settle(settlements: Sequence[Settlement]) -> set[int]:
    """Settle queued changes; returns the keys of those that were not settled before.

    The rows that the changes are about must be locked already (see `Change`).
    """
    if not settlements:
        return set()

    now = timezone.now()
    columns = {}
    rows = []
    for settlement in settlements:
        key = settlement.change.pk
        columns[key] = settlement.columns()
        rows.append({"id": key, **columns[key]})
    if len(columns) > 1:
        # An UPDATE alone would lock the rows in any order.
        changes = Change.objects.select_for_update().filter(pk__in=columns)
        list(changes.order_by("pk").values_list("pk", flat=True))
    settled_keys = set(_SETTLE.rows(now=now, settlements=json.dumps(rows)))

    for settlement in settlements:
        change = settlement.change
        if change.pk not in settled_keys:
            continue
        change.settled_at = now
        for name, value in columns[change.pk].items():
            setattr(change, name, value)
        emit_after_commit(change, change.state)
    return settled_keys


def emit_after_commit(change: Change, outcome: str) -> None:
    """Log the outcome and send the signal once the transaction commits.

    The reason may hold people's words and stays out of the log.
    """
    ref = change.ref

    def emit() -> None:
        _log.info("change %s", outcome, extra={"ref": ref})
        change_progressed.send_robust(sender=Change, outcome=outcome, ref=ref)

    transaction.on_commit(emit)
