"""Take in the runs that were made elsewhere; their rows are mostly forgotten upstream, their totals are not."""

from __future__ import annotations

import logging
from datetime import datetime
from itertools import islice, pairwise

from django.db.models import Exists, Min, OuterRef

from reviewapp.annotations.mirror.absorb import attach
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import ExecutionRecord, ExecutionSummary, LeftOut
from reviewapp.retrievers.mirror import absorb_execution, absorb_executions, absorb_missing_execution
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.sync.executions import results
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress import Progress

_PAGE = 100
# Mixpeek refuses to list further than this; older runs are history that nobody can ask for.
_MOST = 10_000
# Each costs a request; what is left is read with the next pull.
_MOST_NAMED = 500

_log = logging.getLogger(__name__)


def pull(client: Client, report: Progress, counts: Counts) -> None:
    """Absorb each present retriever's runs; raises `MixpeekError`."""
    passed = 0
    for retriever in Retriever.objects.present():
        left_out: list[LeftOut] = []
        runs = islice(client.executions(retriever.retriever_id, left_out=left_out), _MOST)
        try:
            while page := list(islice(runs, _PAGE)):
                with acting(None, note="pull"):
                    tally = absorb_executions(retriever, page)
                counts.add(tally)
                passed += len(page)
                report.reach(passed, None)
                if tally.same == len(page) and _newest_first(page):
                    break
        except (Refused, Unreadable) as error:
            left_out.append(LeftOut(name=f"more runs of {retriever.retriever_id}", reason=error.message))
        counts.leave_out(left_out)


def pull_named(client: Client, counts: Counts) -> None:
    """Read the runs that annotations name and nobody listed: older than the list goes, or of a retriever that is gone.

    Raises `MixpeekError`. A run that Mixpeek no longer has is noted as gone, and not asked for again.
    """
    for retriever_key, execution_id, since in _unknown_runs():
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
            _log.warning("Mixpeek will not tell of a run that an annotation names: %s", error.message)
        else:
            _keep_named(retriever, execution_id, record)
            counts.new += 1


def _unknown_runs() -> list[tuple[int, str, datetime | None]]:
    """Return the runs that annotations name and that are not here: the retriever's key, the id, and since when."""
    here = Execution.objects.filter(execution_id=OuterRef("execution_id"))
    naming = Annotation.objects.filter(annotation_id__isnull=False, retriever__isnull=False)
    unknown = naming.exclude(execution_id="").exclude(Exists(here))
    runs = unknown.values_list("retriever_id", "execution_id").annotate(since=Min("created_at"))
    return list(runs.order_by("-since")[:_MOST_NAMED])


def _keep_named(retriever: Retriever, execution_id: str, record: ExecutionRecord) -> None:
    """Keep a run, and of its rows, if Mixpeek kept any, those of documents that were annotated for it.

    The others must not wait here: somebody else asked for that run.
    """
    with acting(None, note="pull"):
        execution = absorb_execution(retriever, execution_id, record)
        if execution.results.exists():
            return
        rows, _ = results.of(execution, record.documents)
        named = Annotation.objects.filter(execution_id=execution_id)
        annotated = set(named.values_list("document_id", flat=True))
        own = [row for row in rows if row.document_id in annotated]
        attach(Result.objects.bulk_create(own))


def _newest_first(page: list[ExecutionSummary]) -> bool:
    """Return whether the page is in order of time, so that older pages cannot hold anything new."""
    times = [run.created_at for run in page]
    return all(one is not None and other is not None and one >= other for one, other in pairwise(times))
