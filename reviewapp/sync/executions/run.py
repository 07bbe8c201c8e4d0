"""Make the runs that people asked for, and keep what they return.

A run costs credits and cannot be recognised upstream, so it is sent once: a claim is never passed on. When nobody knows
how a run ended, it is settled as failed with a sentence that says so, and a person may ask again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from django.db import IntegrityError, transaction
from django.utils import timezone

from reviewapp.annotations.mirror import absorb
from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, Unavailable
from reviewapp.mixpeek.records import ExecutionRecord, Json
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.retrievers.documents.snapshot import storable, storable_json
from reviewapp.retrievers.mirror import keep_reply
from reviewapp.retrievers.models import Execution, Result
from reviewapp.sync.client import client as configured_client
from reviewapp.sync.executions import results
from reviewapp.sync.rate_limited_client import WHILE_A_PERSON_WAITS, spending

MOST_ROWS = 500
_MOST_AT_ONCE = 20
# Longer than any page of a run can take (`Client.longest_call`); each page renews the claim.
_LOST_AFTER = timedelta(minutes=10)
_LOST = "The worker that made this run died before it had the answer. Run it again if you need it."


@dataclass(kw_only=True)
class Answer:
    """What a run returned: the first page's record, the rows of all pages, how long it took, what else to say."""

    record: ExecutionRecord
    documents: list[Json]
    milliseconds: float = 0.0
    remarks: list[str] = field(default_factory=list)


def run_requested(connect: Callable[[], Client] = configured_client) -> int:
    """Make every run that waits, one after the other; returns how many were made. Any number may do this at a time."""
    _give_up_lost()
    for made in range(_MOST_AT_ONCE):
        execution = _claim()
        if execution is None:
            return made
        make(execution, connect)
    return _MOST_AT_ONCE


def make(execution: Execution, connect: Callable[[], Client] = configured_client) -> Answer | MixpeekError:
    """Make one claimed run and settle it, well or badly; what Mixpeek can cause is not raised but returned."""
    try:
        with spending(Rank.INTERACTIVE, patience=WHILE_A_PERSON_WAITS):
            answer = _ask(connect(), execution)
    except MixpeekError as error:
        _settle_failed(execution, _why(error))
        return error
    try:
        _keep(execution, answer)
    except IntegrityError:
        # A pull met this run upstream while we were storing it; now that its row is there, it can give way.
        _keep(execution, answer)
    return answer


def _claim() -> Execution | None:
    with transaction.atomic():
        waiting = Execution.objects.requested().filter(claimed_at__isnull=True)
        execution = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("retriever").first()
        if execution is not None:
            execution.claimed_at = timezone.now()
            execution.save(update_fields=["claimed_at"])
    return execution


def _give_up_lost() -> None:
    lost = Execution.objects.requested().filter(claimed_at__lt=timezone.now() - _LOST_AFTER)
    with acting(None, note="the worker died"):
        lost.update(status="failed", error=_LOST, completed_at=timezone.now())


def _ask(client: Client, execution: Execution) -> Answer:
    """Run the retriever and follow its pages up to `MOST_ROWS`; raises `MixpeekError` if the first page fails."""
    started, retriever_id = monotonic(), execution.retriever.retriever_id
    record = client.execute_retriever(retriever_id, execution.inputs, limit=MOST_ROWS)
    answer = Answer(record=record, documents=list(record.documents))
    cursor = record.next_cursor
    while cursor and len(answer.documents) < MOST_ROWS:
        Execution.objects.filter(pk=execution.pk).update(claimed_at=timezone.now())
        try:
            page = client.execute_retriever(retriever_id, execution.inputs, limit=MOST_ROWS, cursor=cursor)
        except MixpeekError as error:
            answer.remarks.append(f"Only the first {len(answer.documents)} rows came: {error.message}")
            break
        answer.documents += page.documents
        cursor = page.next_cursor if page.documents and page.next_cursor != cursor else None
    answer.milliseconds = _took(record, started)
    more = max(record.total or 0, len(answer.documents))
    if more > MOST_ROWS:
        answer.remarks.append(f"Mixpeek found {more:,} rows; the first {MOST_ROWS} are kept.")
    return answer


def _took(record: ExecutionRecord, started: float) -> float:
    said = record.stage_statistics.get("total_time_ms")
    return float(said) if isinstance(said, int | float) else round((monotonic() - started) * 1000, 1)


def _keep(execution: Execution, answer: Answer) -> None:
    """Store the run, its rows and their place in the queue in one transaction.

    1. Lock the run. 2. Build its rows. 3. Settle. 4. Join the rows with the annotations of their documents.
    """
    record = answer.record
    with acting(None, note=_note(execution)):
        row = Execution.objects.select_for_update().get(pk=execution.pk)
        rows, odd = results.of(row, answer.documents[:MOST_ROWS])
        row.execution_id, cached = results.own_id(row, record.execution_id)
        row.status = "failed" if record.failed else storable(record.status)[:40]
        row.error = storable(record.error)
        row.warnings = [storable(text) for text in (*record.warnings, *answer.remarks, *odd, *cached)]
        row.degraded = storable_json(record.degraded)
        row.total_returned, row.duration_ms = len(rows), answer.milliseconds
        row.completed_at = timezone.now()
        row.save()
        keep_reply(row, record)
        absorb.attach(Result.objects.bulk_create(rows))


def _settle_failed(execution: Execution, error: str) -> None:
    with acting(None, note=_note(execution)):
        Execution.objects.requested().filter(pk=execution.pk).update(
            status="failed", error=error, completed_at=timezone.now()
        )


def _note(execution: Execution) -> str:
    return f"asked for by {execution.requested_by}" if execution.requested_by else ""


def _why(error: MixpeekError) -> str:
    if isinstance(error, Unavailable) and error.maybe_applied:
        return f"{error.message} It is not known whether the run was made, so it is not repeated: run it again."
    return error.message
