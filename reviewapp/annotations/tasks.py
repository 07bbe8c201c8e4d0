"""Background tasks of annotations: delete old drafts once a night."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from reviewapp.annotations.drafts import services


@app.periodic(cron="37 3 * * *")
@app.task(name="annotations.forget_drafts", queueing_lock="annotations.forget_drafts")
def forget_drafts(timestamp: int) -> None:
    """Delete drafts that are older than `DRAFT_DAYS`."""
    services.delete_old(now=timezone.now())
