"""What a worker does for accounts: delete sessions that have expired, every hour."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from reviewapp.accounts import sessions


@app.periodic(cron="17 * * * *")
@app.task(name="accounts.delete_expired_sessions", queueing_lock="accounts.delete_expired_sessions")
def delete_expired_sessions(timestamp: int) -> None:
    """Delete expired sessions, which nothing else does, and what the list of sessions says about them."""
    sessions.delete_expired(now=timezone.now())
