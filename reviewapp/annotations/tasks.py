"""Background tasks of annotations: batches, reverts; delete old drafts once a night."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from reviewapp.annotations.batches import services as batches
from reviewapp.annotations.drafts import services
from reviewapp.annotations.reverts import services as reverts


@app.periodic(cron="37 3 * * *")
@app.task(name="annotations.forget_drafts", queueing_lock="annotations.forget_drafts")
def forget_drafts(timestamp: int) -> None:
    """Delete drafts that are older than `DRAFT_DAYS`."""
    services.delete_old(now=timezone.now())


@app.task(name="annotations.decide_batch")
def decide_batches() -> None:
    """Decide what people asked for together."""
    batches.run_unfinished()


@app.periodic(cron="* * * * *")
@app.task(name="annotations.sweep_batches", queueing_lock="annotations.sweep_batches")
def sweep_batches(timestamp: int) -> None:
    """Go on with batches that a crash interrupted."""
    batches.run_unfinished()


@app.task(name="annotations.revert")
def revert_decisions() -> None:
    """Revert what leads asked for."""
    reverts.run_unfinished()


@app.periodic(cron="* * * * *")
@app.task(name="annotations.sweep_reverts", queueing_lock="annotations.sweep_reverts")
def sweep_reverts(timestamp: int) -> None:
    """Go on with reverts that a crash interrupted."""
    reverts.run_unfinished()
