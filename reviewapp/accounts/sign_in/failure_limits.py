"""Count failed attempts at an account over an hour, from all networks together."""

from __future__ import annotations

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest

from reviewapp.accounts.models import User
from reviewapp.accounts.sessions.session_proof import proven_person_id

# Keys of `ACCOUNT_RATE_LIMITS`.
PASSWORD = "login_failed_at_account"  # noqa: S105 - the name of a limit
CODE = "code_failed"


def is_exhausted(request: HttpRequest, action: str, username: str) -> bool:
    """Return whether too many attempts at the account failed within the hour."""
    key = account_key(request, username)
    return not ratelimit.consume(request, action=action, key=key, dry_run=True)


def count_failure(request: HttpRequest, action: str, username: str) -> None:
    """Count a failed attempt at the account."""
    ratelimit.consume(request, action=action, key=account_key(request, username))


def account_key(request: HttpRequest, username: str) -> str:
    """Return the key for counting failures at an account; the owner's browser has its own."""
    owner_id = proven_person_id(request)
    if owner_id is None:
        return username
    if not User.people.filter(pk=owner_id, username=username).exists():
        return username
    proof = request.COOKIES[settings.SESSION_PROOF_COOKIE_NAME]
    return f"{username} {proof}"
