"""Bring the mirror up to date: retrievers, their executions, all annotations, and what these rest on.

That is the runs and the documents that they name, as far as they are not here yet.

Each page is committed before the next is asked for, together with how far the walk got (`PullPass`), so a pull that was
killed is gone on with. Only one pull runs at a time, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import LeftOut
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.retrievers import mirror
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.client import client as configured_client
from reviewapp.sync.models import PullPass
from reviewapp.sync.pull import annotations as pull_annotations
from reviewapp.sync.pull import documents as pull_documents
from reviewapp.sync.pull import executions as pull_executions
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress import Log, Progress
from reviewapp.sync.rate_limited_client import WHILE_NOBODY_WAITS, spending

_LOCK = 0x7265766965770001
# What an unfinished pull has seen is stale by then; start afresh.
_STALE = timedelta(hours=24)
# So many requests are paid at once.
_AT_ONCE = 10


@dataclass(kw_only=True)
class Summary:
    """What a pull brought. `stopped` says in one sentence why it did not finish, and is empty when it did."""

    retrievers: Counts = field(default_factory=Counts)
    executions: Counts = field(default_factory=Counts)
    annotations: Counts = field(default_factory=Counts)
    documents: Counts = field(default_factory=Counts)
    stopped: str = ""

    def lines(self) -> Iterator[str]:
        """Yield one line for each kind of record, and one for each record that was left out."""
        for name in ("retrievers", "executions", "annotations", "documents"):
            counts: Counts = getattr(self, name)
            yield f"{name.capitalize()}: {counts}."
            yield from counts.reasons()


def pull(report: Progress | None = None, *, client: Client | None = None) -> Summary:
    """Pull everything that is new, changed or gone; returns what it was, and why it stopped if it did.

    Never raises what Mixpeek or another pull can cause: whatever was stored by then stays.
    """
    report, summary = report or Log(), Summary()
    with _alone() as alone, tracing(Origin.PULL):
        if not alone:
            summary.stopped = "Another pull is running already; let it finish."
            return summary
        try:
            with spending(Rank.BACKGROUND, want=_AT_ONCE, patience=WHILE_NOBODY_WAITS):
                _walk(client or configured_client(), _current(report), report, summary)
        except MixpeekError as error:
            summary.stopped = (
                f"The pull stopped: {error.message} What was stored stays; the next pull goes on from here."
            )
        finally:
            report.end()
    return summary


def _walk(client: Client, at: PullPass, report: Progress, summary: Summary) -> None:
    phases: dict[str, Callable[[], None]] = {
        PullPass.Phase.RETRIEVERS: lambda: _retrievers(client, summary.retrievers),
        PullPass.Phase.EXECUTIONS: lambda: pull_executions.pull(client, report, summary.executions),
        PullPass.Phase.ANNOTATIONS: lambda: pull_annotations.pull(client, at, report, summary.annotations),
        PullPass.Phase.MISSING: lambda: pull_annotations.look_for_missing(client, at, report, summary.annotations),
        PullPass.Phase.DOCUMENTS: lambda: _evidence(client, report, summary),
    }
    order = list(phases)
    for phase in order[order.index(at.phase) :]:
        at.phase = phase
        at.save(update_fields=["phase"])
        report.begin(PullPass.Phase(phase).label)
        phases[phase]()
    at.delete()


def _evidence(client: Client, report: Progress, summary: Summary) -> None:
    """Fetch what annotations were judged by and we do not have: their runs, then their documents."""
    pull_executions.pull_named(client, summary.executions)
    pull_documents.pull(client, report, summary.documents)


def _retrievers(client: Client, counts: Counts) -> None:
    left_out: list[LeftOut] = []
    found = client.list_retrievers(left_out=left_out)
    counts.leave_out(left_out)
    listed = {record.retriever_id for record in found} | counts.left_out.keys()
    unlisted = Retriever.objects.present().exclude(retriever_id__in=listed).values_list("retriever_id", flat=True)
    gone = [retriever_id for retriever_id in unlisted if not _is_there(client, retriever_id)]
    with acting(None, note="pull"):
        counts.add(mirror.absorb(found))
        counts.gone += mirror.mark_gone(gone)


def _is_there(client: Client, retriever_id: str) -> bool:
    try:
        return client.get_retriever(retriever_id).retriever_id == retriever_id
    except NotFound:
        return False
    except (Refused, Unreadable):
        return True


def _current(report: Progress) -> PullPass:
    """Return the unfinished walk, or a new one."""
    now = timezone.now()
    PullPass.objects.filter(started_at__lt=now - _STALE).delete()
    at, is_new = PullPass.objects.get_or_create(id=1, defaults={"started_at": now})
    if not is_new:
        passed = f", {at.skip:,} passed already" if at.phase == PullPass.Phase.ANNOTATIONS and at.skip else ""
        report.say(f"Going on where the last pull stopped: {at.get_phase_display()}{passed}.")
    return at


@contextmanager
def _alone() -> Iterator[bool]:
    """Hold the one lock that a pull needs, which the database takes back should this process die."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [(alone,)] = cursor.fetchall()
    try:
        yield alone
    finally:
        if alone:
            # A connection that broke took the lock with it.
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
