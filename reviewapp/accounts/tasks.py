"""What a worker does for accounts: mail links for a new password; delete expired sessions, every hour."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from reviewapp.accounts.sessions import session_store
from reviewapp.accounts.sign_in import password_mail


@app.periodic(cron="17 * * * *")
@app.task(name="accounts.delete_expired_sessions", queueing_lock="accounts.delete_expired_sessions")
def delete_expired_sessions(timestamp: int) -> None:
    """Delete expired sessions, which nothing else does, and what the list of sessions says about them."""
    session_store.delete_expired(now=timezone.now())


# Tried again after one, two, four and eight minutes while the mail server is away.
@app.task(name="accounts.mail_password_link", retry=RetryStrategy(max_attempts=5, exponential_wait=60))
def mail_password_link(*, address: str, site: str) -> None:
    """Mail a link for a new password to whoever has this address, if anybody has."""
    password_mail.send(address=address, site=site)
