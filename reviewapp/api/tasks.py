"""What a worker does for the API: once a night, forget answers that nobody will ask for again."""

from __future__ import annotations

from procrastinate.contrib.django import app

from reviewapp.api.idempotency import delete_expired_answers


@app.periodic(cron="23 3 * * *")
@app.task(name="api.forget_old", queueing_lock="api.forget_old")
def forget_old_answers(timestamp: int) -> None:
    """Delete kept answers that are older than `IDEMPOTENCY_DAYS`."""
    delete_expired_answers()
