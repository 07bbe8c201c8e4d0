"""Absorb the executions that others made; upstream mostly forgets their rows, not their totals."""

from __future__ import annotations

import logging
from itertools import islice, pairwise

from django.db.models import Exists, Min, OuterRef

from reviewapp.annotations.mirror.absorb import attach_results
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import ExecutionRecord, ExecutionSummary, LeftOut
from reviewapp.retrievers.mirror import (
    absorb_execution,
    absorb_executions,
    absorb_missing_execution,
)
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.sync.executions import results
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress_output import Progress

_PAGE = 100
# Mixpeek refuses to list further than this; older executions cannot be requested.
_MAX_LISTED = 10_000
# Each costs a request; the next pull reads the rest.
_MAX_NAMED = 500

_log = logging.getLogger(__name__)


def pull(client: Client, progress: Progress, counts: Counts) -> None:
    """Absorb the executions of each retriever that upstream still has; raises `MixpeekError`."""
    processed = 0
    for retriever in Retriever.objects.present():
        left_out: list[LeftOut] = []
        listed = client.executions(retriever.retriever_id, left_out=left_out)
        executions = islice(listed, _MAX_LISTED)
        try:
            while page := list(islice(executions, _PAGE)):
                with acting(None, note="pull"):
                    tally = absorb_executions(retriever, page)
                counts.add(tally)
                processed += len(page)
                progress.reach(processed, None)
                # Older pages hold nothing new.
                if tally.same == len(page) and is_newest_first(page):
                    break
        except (Refused, Unreadable) as error:
            name = f"more runs of {retriever.retriever_id}"
            left_out.append(LeftOut(name=name, reason=error.message))
        counts.leave_out(left_out)


def pull_named(client: Client, counts: Counts) -> None:
    """Read the executions that annotations name and no list held: too old, or of a gone retriever.

    An execution that Mixpeek no longer has is stored as gone, and not requested again. Raises
    `MixpeekError`.
    """
    known = Execution.objects.filter(execution_id=OuterRef("execution_id"))
    annotations = Annotation.objects.filter(annotation_id__isnull=False, retriever__isnull=False)
    unknown = annotations.exclude(execution_id="").exclude(Exists(known))
    named = unknown.values_list("retriever_id", "execution_id").annotate(since=Min("created_at"))

    for retriever_key, execution_id, since in list(named.order_by("-since")[:_MAX_NAMED]):
        retriever = Retriever.objects.get(pk=retriever_key)
        try:
            record = client.get_execution(retriever.retriever_id, execution_id)
        except NotFound:
            with acting(None, note="pull"):
                absorb_missing_execution(retriever, execution_id, since)
            counts.gone += 1
        except Unreadable as error:
            counts.leave_out([LeftOut(name=execution_id, reason=error.message)])
        except Refused as error:
            _log.warning(
                "Mixpeek will not tell of a run that an annotation names: %s",
                error.message,
            )
        else:
            _store_named(retriever, execution_id, record)
            counts.new += 1


def _store_named(retriever: Retriever, execution_id: str, record: ExecutionRecord) -> None:
    """Store an execution with those of its rows whose documents were annotated for it.

    The other rows must not enter the queue here: somebody else made that execution.
    """
    with acting(None, note="pull"):
        execution = absorb_execution(retriever, execution_id, record)
        if execution.results.exists():
            return

        rows, _ = results.build_results(execution, record.documents)
        annotations = Annotation.objects.filter(execution_id=execution_id)
        annotated_ids = set(annotations.values_list("document_id", flat=True))
        annotated_rows = [row for row in rows if row.document_id in annotated_ids]
        attach_results(Result.objects.bulk_create(annotated_rows))


def is_newest_first(page: list[ExecutionSummary]) -> bool:
    """Return whether the page is in order of time, so that older pages hold nothing newer."""
    for newer, older in pairwise(page):
        if newer.created_at is None or older.created_at is None:
            return False
        if newer.created_at < older.created_at:
            return False
    return True
