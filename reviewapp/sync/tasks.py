"""The worker's tasks: deliver, run retrievers, follow hints, poll the feed, sweep, pull.

procrastinate schedules them. A task may run twice, be interrupted, or run in parallel: claims in
the tables and the pull's own lock make that harmless.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from django.conf import settings
from procrastinate.contrib.django import app

from reviewapp.audit.actions import Origin
from reviewapp.audit.context import current_trace, tracing
from reviewapp.mixpeek.exceptions import Unauthorized
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Pause
from reviewapp.sync.client import client
from reviewapp.sync.deliver import drain
from reviewapp.sync.executions import run
from reviewapp.sync.listen import feed, hints, webhooks
from reviewapp.sync.pull import run as pull_run

_log = logging.getLogger(__name__)


@app.task(name="sync.deliver")
def deliver_due() -> None:
    """Deliver every change that is due."""
    outbox.schedule_next_wakeup()
    with tracing(Origin.WORKER, current_trace().request_id), drain.pausing_on_bad_settings():
        drain.drain(client())


@app.task(name="sync.run_requested")
def run_requested() -> None:
    """Run the retrievers that people requested."""
    with tracing(Origin.WORKER, current_trace().request_id):
        run.run_requested_executions()


@app.periodic(cron="* * * * *")
@app.task(name="sync.sweep", queueing_lock="sync.sweep")
def sweep(timestamp: int) -> None:
    """Wake the other tasks in case a wake-up was lost, and probe a paused outbox."""
    with tracing(Origin.WORKER, current_trace().request_id):
        if Pause.objects.exists():
            with drain.pausing_on_bad_settings():
                drain.probe(client())
        outbox.wake()
        run.run_requested_executions()
    hints.wake_hint_worker()
    webhooks.delete_expired_notifications()


@app.task(name="sync.follow_hints")
def follow_hints() -> None:
    """Read the annotations that hints name again; without valid settings, do nothing."""
    with suppress(Unauthorized):
        hints.follow(client())


# The sixth field is procrastinate's extension: seconds.
@app.periodic(cron=f"* * * * * */{settings.FEED_SECONDS}")
@app.task(name="sync.feed", queueing_lock="sync.feed")
def poll_feed(timestamp: int) -> None:
    """Poll the change feed; without valid settings, do nothing."""
    with suppress(Unauthorized):
        feed.poll(client())


@app.periodic(cron=f"*/{settings.PULL_MINUTES} * * * *")
@app.task(name="sync.pull", queueing_lock="sync.pull")
def pull_all(timestamp: int) -> None:
    """Bring the mirror up to date; log why a pull could not finish."""
    summary = pull_run.pull()
    if summary.stopped:
        _log.warning(summary.stopped)
