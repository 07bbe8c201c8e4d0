"""Bring the mirror up to date: retrievers, their executions, all annotations and their evidence.

The evidence is the executions and documents that annotations name and that are not here yet.

Each page is committed before the next is requested, together with the position (`PullPass`), so an
interrupted pull is continued. Only one pull runs at a time, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from reviewapp.audit.actions import Origin
from reviewapp.audit.context import tracing
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.client import client as configured_client
from reviewapp.sync.models import PullPass
from reviewapp.sync.pull import annotations as pull_annotations
from reviewapp.sync.pull import documents as pull_documents
from reviewapp.sync.pull import executions as pull_executions
from reviewapp.sync.pull import retrievers as pull_retrievers
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress_output import Log, Progress
from reviewapp.sync.request_budget import WHILE_NOBODY_WAITS, spending

_LOCK = 0x7265766965770001
# What an unfinished pull has seen is outdated by then: a new one begins.
_MAX_AGE = timedelta(hours=24)
# How many requests are paid at once.
_TOKENS_AT_ONCE = 10


@dataclass(kw_only=True)
class Summary:
    """What a pull absorbed. `stopped` says why it did not finish; "" if it did."""

    retrievers: Counts = field(default_factory=Counts)
    executions: Counts = field(default_factory=Counts)
    annotations: Counts = field(default_factory=Counts)
    documents: Counts = field(default_factory=Counts)
    stopped: str = ""

    def lines(self) -> Iterator[str]:
        """Yield a line for each kind of record, and for each record that was left out."""
        for name in ("retrievers", "executions", "annotations", "documents"):
            counts: Counts = getattr(self, name)
            yield f"{name.capitalize()}: {counts}."
            yield from counts.reasons()


def pull(progress: Progress | None = None, *, client: Client | None = None) -> Summary:
    """Pull everything that is new, changed or gone; returns the counts, and why it stopped.

    Does not raise what Mixpeek or another pull can cause: what was stored by then stays.
    """
    progress = progress or Log()
    summary = Summary()
    with pull_lock() as is_locked, tracing(Origin.PULL):
        if not is_locked:
            summary.stopped = "Another pull is already running. Let it finish."
            return summary

        try:
            with spending(Rank.BACKGROUND, want=_TOKENS_AT_ONCE, patience=WHILE_NOBODY_WAITS):
                client = client or configured_client()
                pull_pass = current_pass(progress)
                phases = list(PullPass.Phase)
                first = phases.index(PullPass.Phase(pull_pass.phase))
                for phase in phases[first:]:
                    pull_pass.phase = phase
                    pull_pass.save(update_fields=["phase"])
                    progress.begin(phase.label)
                    _run_phase(phase, client, pull_pass, progress, summary)
                pull_pass.delete()
        except MixpeekError as error:
            stored = "What was stored stays; the next pull goes on from here."
            summary.stopped = f"The pull stopped: {error.message} {stored}"
        finally:
            progress.end()
    return summary


def _run_phase(
    phase: PullPass.Phase,
    client: Client,
    pull_pass: PullPass,
    progress: Progress,
    summary: Summary,
) -> None:
    annotations = summary.annotations
    if phase == PullPass.Phase.RETRIEVERS:
        pull_retrievers.pull(client, summary.retrievers)
    elif phase == PullPass.Phase.EXECUTIONS:
        pull_executions.pull(client, progress, summary.executions)
    elif phase == PullPass.Phase.ANNOTATIONS:
        pull_annotations.pull(client, pull_pass, progress, annotations)
    elif phase == PullPass.Phase.MISSING:
        pull_annotations.look_for_missing(client, pull_pass, progress, annotations)
    elif phase == PullPass.Phase.DOCUMENTS:
        # The evidence of annotations: their executions, then their documents.
        pull_executions.pull_named(client, summary.executions)
        pull_documents.pull(client, progress, summary.documents)


def current_pass(progress: Progress) -> PullPass:
    """Return the unfinished pass, or a new one."""
    now = timezone.now()
    PullPass.objects.filter(started_at__lt=now - _MAX_AGE).delete()
    pull_pass, is_new = PullPass.objects.get_or_create(id=1, defaults={"started_at": now})
    if is_new:
        return pull_pass

    position = pull_pass.get_phase_display()
    if pull_pass.phase == PullPass.Phase.ANNOTATIONS and pull_pass.skip:
        position = f"{position}, {pull_pass.skip:,} passed already"
    progress.say(f"Going on where the last pull stopped: {position}.")
    return pull_pass


@contextmanager
def pull_lock() -> Iterator[bool]:
    """Try to hold the advisory lock of pulls; yields whether it is held.

    The database releases it if this process dies.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [(is_locked,)] = cursor.fetchall()
    try:
        yield is_locked
    finally:
        if is_locked:
            # A broken connection has released the lock already.
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
