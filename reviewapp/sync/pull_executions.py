"""Take in the runs that were made elsewhere; their rows are mostly forgotten upstream, their totals are not."""

from __future__ import annotations

from itertools import islice, pairwise

from reviewapp.audit.trace import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import ExecutionSummary
from reviewapp.retrievers.absorb import absorb_executions
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.progress import Progress
from reviewapp.sync.tally import Counts

_PAGE = 100
# Mixpeek refuses to list further than this; older runs are history that nobody can ask for.
_MOST = 10_000


def pull(client: Client, report: Progress, counts: Counts) -> None:
    """Absorb each present retriever's runs; raises `MixpeekError`."""
    passed = 0
    for retriever in Retriever.objects.present():
        runs = islice(client.executions(retriever.retriever_id), _MOST)
        while page := list(islice(runs, _PAGE)):
            with acting(None, note="pull"):
                tally = absorb_executions(retriever, page)
            counts.add(tally)
            passed += len(page)
            report.reach(passed, None)
            if tally.same == len(page) and _newest_first(page):
                break


def _newest_first(page: list[ExecutionSummary]) -> bool:
    """Return whether the page is in order of time, so that older pages cannot hold anything new."""
    times = [run.created_at for run in page]
    return all(one is not None and other is not None and one >= other for one, other in pairwise(times))
