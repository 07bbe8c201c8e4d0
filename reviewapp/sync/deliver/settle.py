"""Settle the outcomes of delivery: the changes, their history and the mirror in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from reviewapp.audit.context import acting
from reviewapp.outbox import settle as outbox_settle
from reviewapp.outbox.models import Change
from reviewapp.ref import Ref, RefKind
from reviewapp.sync.deliver import annotations as deliver_annotations
from reviewapp.sync.deliver import retrievers as deliver_retrievers
from reviewapp.sync.deliver.outcome import DeliveryOutcome, Handler

_log = logging.getLogger(__name__)
_HANDLERS: dict[str, Handler] = {
    RefKind.ANNOTATION: deliver_annotations.HANDLER,
    RefKind.RETRIEVER: deliver_retrievers.HANDLER,
}
# The most outcomes in one transaction: people who decide on one of these items wait for it.
_BATCH_SIZE = 200


def handler_for(change: Change) -> Handler:
    """Return the handler for the change's kind of ref."""
    return _HANDLERS[Ref.parse(change.ref).kind]


def load_change_rows(changes: Sequence[Change]) -> dict[str, Any]:
    """Return the rows that the changes are about, by ref; rows deleted here are left out."""
    rows: dict[str, Any] = {}
    for handler in _HANDLERS.values():
        refs = [change.ref for change in changes if handler_for(change) is handler]
        if refs:
            rows |= handler.load_rows(refs)
    return rows


def settle_outcomes(outcomes: Sequence[DeliveryOutcome]) -> None:
    """Settle all outcomes, those of one kind with a record in batches.

    When a batch fails, its outcomes are settled one by one, so that one bad record does not block
    the others.
    """
    for handler in _HANDLERS.values():
        with_record: list[DeliveryOutcome] = []
        without_record: list[DeliveryOutcome] = []
        concurrent_records: list[Any] = []
        for outcome in outcomes:
            if handler_for(outcome.change) is not handler:
                continue
            concurrent_records.extend(outcome.concurrent_records)
            if outcome.record is None:
                without_record.append(outcome)
            else:
                with_record.append(outcome)

        for start in range(0, len(with_record), _BATCH_SIZE):
            _settle_batch(with_record[start : start + _BATCH_SIZE], handler)
        for outcome in without_record:
            _settle_batch([outcome], handler)

        # In a transaction of its own, since these rows are locked in no order with those above.
        if concurrent_records:
            with acting(None):
                handler.absorb(concurrent_records)


def _settle_batch(batch: Sequence[DeliveryOutcome], handler: Handler) -> None:
    try:
        _settle_in_transaction(batch, handler)
    except Exception:
        if len(batch) == 1:
            raise
        _log.exception("could not settle %s changes together; going on one by one", len(batch))
        for outcome in batch:
            _settle_in_transaction([outcome], handler)


def _settle_in_transaction(batch: Sequence[DeliveryOutcome], handler: Handler) -> None:
    settlements = [outcome.settlement for outcome in batch]
    records = [outcome.record for outcome in batch if outcome.record is not None]
    refs = [outcome.change.ref for outcome in batch]

    with acting(None):
        # The lock order is that of `Change`: somebody may be withdrawing one of the changes, who
        # has locked its row and waits for the change.
        handler.lock_rows(refs, records)
        outbox_settle.settle(settlements)
        handler.absorb(records)
        for outcome in batch:
            ref = outcome.change.ref
            if outcome.uncleared is not None and handler.note_uncleared:
                handler.note_uncleared(ref, outcome.uncleared)
            if outcome.gone:
                handler.mark_gone(ref)
            elif outcome.rebase:
                handler.rebase(ref)
