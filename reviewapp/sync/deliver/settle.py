"""Settle what came of trying changes, one by one or in bulk: the changes, their history and the mirror together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from reviewapp.audit.context import acting
from reviewapp.outbox import settle as outbox_settle
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import annotations as deliver_annotations
from reviewapp.sync.deliver import retrievers as deliver_retrievers
from reviewapp.sync.deliver.outcome import Outcome, Target

_log = logging.getLogger(__name__)
# By the kind of ref, its part before the slash.
_TARGETS: dict[str, Target] = {"annotations": deliver_annotations.TARGET, "retrievers": deliver_retrievers.TARGET}
# One transaction settles no more: people who decide on one of these items meanwhile wait for it.
_MOST = 200


def target_of(change: Change) -> Target:
    """Return what the change is delivered to."""
    return _TARGETS[change.ref.partition("/")[0]]


def rows_of(changes: Sequence[Change]) -> dict[str, Any]:
    """Return our rows that the changes are about, by ref; what has been deleted here is not among them."""
    found: dict[str, Any] = {}
    for target in _TARGETS.values():
        if refs := [change.ref for change in changes if target_of(change) is target]:
            found |= target.find(refs)
    return found


def settle(outcomes: Sequence[Outcome]) -> None:
    """Settle all of them, those of one kind with a record together; what is odd about one does not keep the others."""
    for target in _TARGETS.values():
        ours = [outcome for outcome in outcomes if target_of(outcome.change) is target]
        proven = [outcome for outcome in ours if outcome.record is not None]
        batches = [proven[at : at + _MOST] for at in range(0, len(proven), _MOST)]
        for batch in [*batches, *([outcome] for outcome in ours if outcome.record is None)]:
            _settle(batch, target)
        # By itself: these rows are in no order with those before them.
        if beside := [record for outcome in ours for record in outcome.beside]:
            with acting(None):
                target.absorb(beside)


def _settle(batch: Sequence[Outcome], target: Target) -> None:
    try:
        _together(batch, target)
    except Exception:
        if len(batch) == 1:
            raise
        _log.exception("could not settle %s changes together; going on one by one", len(batch))
        for outcome in batch:
            _together([outcome], target)


def _together(batch: Sequence[Outcome], target: Target) -> None:
    with acting(None):
        outbox_settle.settle([outcome.settlement for outcome in batch])
        # Rows are locked here, all at once and in one order, before any is touched by itself.
        target.absorb([outcome.record for outcome in batch if outcome.record is not None])
        for outcome in batch:
            if outcome.uncleared is not None and target.note_uncleared:
                target.note_uncleared(outcome.change.ref, outcome.uncleared)
            if outcome.gone:
                target.mark_gone(outcome.change.ref)
            elif outcome.rebase:
                target.rebase(outcome.change.ref)
