"""Background tasks: mail password links, and delete expired sessions every hour."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from reviewapp.accounts.sessions import session_store
from reviewapp.accounts.sign_in import password_mail


@app.periodic(cron="17 * * * *")
@app.task(name="accounts.delete_expired_sessions", queueing_lock="accounts.delete_expired_sessions")
def delete_expired_sessions(timestamp: int) -> None:
    """Delete expired sessions and their entries in the lists of sessions."""
    session_store.delete_expired(now=timezone.now())


# Waits one, two, four and eight minutes between attempts.
_RETRY = RetryStrategy(max_attempts=5, exponential_wait=60)


@app.task(name="accounts.mail_password_link", retry=_RETRY)
def mail_password_link(*, address: str, site: str) -> None:
    """Mail a link for a new password to the person with this address, if there is one."""
    password_mail.send(address=address, site=site)
