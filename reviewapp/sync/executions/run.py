"""Make the runs that people requested, and store their results.

A run costs credits and cannot be recognized upstream, so it is sent once: a claim is never passed
on. When the result of a run is unknown, it is stored as failed with a sentence that says so, and a
person may request it again.
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
from reviewapp.json_values import finite_float
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, Unavailable
from reviewapp.mixpeek.records import ExecutionRecord, Json
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.retrievers.documents.snapshot import clean_json, clean_text
from reviewapp.retrievers.mirror import save_reply, status_of_run
from reviewapp.retrievers.models import Execution, Result
from reviewapp.sync.client import client as configured_client
from reviewapp.sync.executions import results
from reviewapp.sync.request_budget import WHILE_A_PERSON_WAITS, spending

MAX_ROWS = 500
_MAX_RUNS = 20
# Longer than any page of a run can take (`Client.longest_call`); each page renews the claim.
_CLAIM_DURATION = timedelta(minutes=10)
_WORKER_DIED = """\
The worker stopped before this run was finished. Run it again if you need it."""


@dataclass(kw_only=True)
class RunAnswer:
    """What a run returned: the first page's record, the rows of all pages, duration, remarks."""

    record: ExecutionRecord
    documents: list[Json]
    milliseconds: float = 0.0
    remarks: list[str] = field(default_factory=list)


def run_requested_executions(connect: Callable[[], Client] = configured_client) -> int:
    """Make the requested runs, one after the other; returns how many. Safe in many processes."""
    now = timezone.now()
    expired = Execution.objects.requested().filter(claimed_at__lt=now - _CLAIM_DURATION)
    with acting(None, note="the worker died"):
        expired.update(status="failed", error=_WORKER_DIED, completed_at=now)

    for number in range(_MAX_RUNS):
        with transaction.atomic():
            execution = Execution.objects.claim_requested(timezone.now())
        if execution is None:
            return number
        execute_claimed(execution, connect)
    return _MAX_RUNS


def execute_claimed(
    execution: Execution,
    connect: Callable[[], Client] = configured_client,
) -> RunAnswer | MixpeekError:
    """Make one claimed run and store its end; returns a `MixpeekError` instead of raising it."""
    try:
        with spending(Rank.INTERACTIVE, patience=WHILE_A_PERSON_WAITS):
            answer = _execute(connect(), execution)
    except MixpeekError as error:
        message = error.message
        if isinstance(error, Unavailable) and error.maybe_applied:
            message += " It is not known whether the run was made, so it is not repeated: run it"
            message += " again."

        with acting(None, note=_history_note(execution)):
            requested = Execution.objects.requested().filter(pk=execution.pk)
            requested.update(status="failed", error=message, completed_at=timezone.now())
        return error

    try:
        _store(execution, answer)
    except IntegrityError:
        # A pull stored this run at the same moment; its row is visible now and can be replaced.
        _store(execution, answer)
    return answer


def _execute(client: Client, execution: Execution) -> RunAnswer:
    """Execute the retriever and follow its pages up to `MAX_ROWS`.

    Raises `MixpeekError` if the first page fails.
    """
    started = monotonic()
    retriever_id = execution.retriever.retriever_id
    record = client.execute_retriever(retriever_id, execution.inputs, limit=MAX_ROWS)
    answer = RunAnswer(record=record, documents=list(record.documents))

    cursor = record.next_cursor
    while cursor and len(answer.documents) < MAX_ROWS:
        Execution.objects.filter(pk=execution.pk).update(claimed_at=timezone.now())
        try:
            page = client.execute_retriever(
                retriever_id,
                execution.inputs,
                limit=MAX_ROWS,
                cursor=cursor,
            )
        except MixpeekError as error:
            count = len(answer.documents)
            answer.remarks.append(f"Only the first {count} rows arrived: {error.message}")
            break
        answer.documents += page.documents
        is_repeated = page.next_cursor == cursor
        cursor = page.next_cursor
        # An empty page or a repeated cursor ends the list.
        if is_repeated or not page.documents:
            cursor = None

    reported = finite_float(record.stage_statistics.get("total_time_ms"))
    answer.milliseconds = round((monotonic() - started) * 1000, 1)
    if reported is not None:
        answer.milliseconds = reported

    total = max(record.total or 0, len(answer.documents))
    if total > MAX_ROWS:
        answer.remarks.append(f"Mixpeek found {total:,} rows; the first {MAX_ROWS} are kept.")
    return answer


def _store(execution: Execution, answer: RunAnswer) -> None:
    """Store the run, its results and their place in the queue in one transaction.

    1. Lock the run. 2. Build its results. 3. Save how it ended. 4. Attach the results to the
    annotations of their documents.
    """
    record = answer.record
    with acting(None, note=_history_note(execution)):
        row = Execution.objects.select_for_update().get(pk=execution.pk)
        rows, row_warnings = results.build_results(row, answer.documents[:MAX_ROWS])
        row.execution_id, id_warnings = results.usable_id(row, record.execution_id)
        warnings = [*record.warnings, *answer.remarks, *row_warnings, *id_warnings]

        row.status = status_of_run(record)
        row.error = clean_text(record.error)
        row.warnings = [clean_text(warning) for warning in warnings]
        row.degraded = clean_json(record.degraded)
        row.total_returned = len(rows)
        row.duration_ms = answer.milliseconds
        row.completed_at = timezone.now()
        row.save()

        save_reply(row, record)
        absorb.attach_results(Result.objects.bulk_create(rows))


def _history_note(execution: Execution) -> str:
    if execution.requested_by:
        return f"asked for by {execution.requested_by}"
    return ""
