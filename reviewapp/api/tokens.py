"""Services for API tokens: create, revoke, authenticate, count requests."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.auth import get_backends
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from reviewapp.api.models import ApiToken
from reviewapp.asked import asked, rows
from reviewapp.audit.context import acting
from reviewapp.web.one_time_forms import AlreadySubmitted, derive_secret, may_show_again

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

DEFAULT_DAYS = 90
MAX_DAYS = 365
MAX_TOKENS = 50
MANAGES_PEOPLE = "accounts.change_user"
_PREFIX = "rvw_"
_STORED_PREFIX_LENGTH = 12
_SECRET = re.compile(r"rvw_[A-Za-z0-9_-]{43}\Z")

# One statement, so one round trip; a lost count after a crash is no harm, so nobody waits for the
# disk.
_COUNT = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO api_tokenuse (token_id, minute, requests) SELECT %(token)s, %(minute)s, 1 FROM quick
ON CONFLICT (token_id) DO UPDATE SET
    requests = CASE WHEN api_tokenuse.minute = excluded.minute
        THEN api_tokenuse.requests + 1 ELSE 1 END,
    minute = excluded.minute
RETURNING requests
"""


def create_token(
    owner: User,
    *,
    name: str,
    scope: str,
    days: int = DEFAULT_DAYS,
    actor: User | None,
    form_id: uuid.UUID | None = None,
) -> tuple[ApiToken, str]:
    """Create a token for `owner` and return it with its secret, which is not stored.

    `actor` None is the command line. The same `form_id` with the same words makes one token: sent
    again soon it returns that one, later it raises `AlreadySubmitted`. Raises `ValidationError` for
    a blank or long name, an unknown scope, a number of days outside 1 to `MAX_DAYS`, or when the
    person holds `MAX_TOKENS` usable ones.
    """
    secret = _PREFIX + derive_secret(form_id, "token", owner.pk, name, scope, days)
    existing = _get_existing(secret)
    if existing is not None:
        return existing, secret

    now = timezone.now()
    if not 1 <= days <= MAX_DAYS:
        raise ValidationError({"days": f"A token lasts 1 to {MAX_DAYS} days."})
    usable = ApiToken.objects.filter(owner=owner, revoked_at=None, expires_at__gt=now)
    if usable.count() >= MAX_TOKENS:
        raise ValidationError(f"You have {MAX_TOKENS} tokens. Revoke one first.")

    token = ApiToken(
        owner=owner,
        name=name.strip(),
        prefix=secret[:_STORED_PREFIX_LENGTH],
        digest=_digest(secret),
        scope=scope,
        expires_at=now + timedelta(days=days),
    )
    token.full_clean(exclude=["digest", "last_used_at", "revoked_at"])

    note = "" if actor == owner else f"for {owner.get_username()}"
    try:
        with acting(actor, note=note):
            token.save()
    except IntegrityError:
        # A double click: another request with the same form was faster.
        existing = _get_existing(secret)
        if existing is None:
            raise
        return existing, secret
    return token, secret


def find_token_of_form(
    owner: User,
    *,
    name: str,
    scope: str,
    days: int,
    form_id: uuid.UUID,
) -> tuple[ApiToken, str] | None:
    """Return the token that a form made a short while ago, with its secret; None without one.

    The secret follows from the form and our secret key: it is stored nowhere.
    """
    secret = _PREFIX + derive_secret(form_id, "token", owner.pk, name, scope, days)
    try:
        token = _get_existing(secret)
    except AlreadySubmitted:
        return None
    return None if token is None else (token, secret)


def revoke(token: ApiToken, *, actor: User) -> bool:
    """Revoke a token for good; return False if it was revoked already.

    Raises `PermissionDenied` when it is somebody else's and the actor does not manage people.
    """
    if token.owner_id != actor.pk and not actor.has_perm(MANAGES_PEOPLE):
        raise PermissionDenied("Revoking somebody else's token needs the role admin.")
    with acting(actor):
        active = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        return active.update(revoked_at=timezone.now()) == 1


def authenticate(secret: str) -> ApiToken | None:
    """Return the token with this secret; None if it is unknown, expired or revoked."""
    if not _SECRET.match(secret):
        return None
    for token in _usable(digest=_digest(secret), now=timezone.now()):
        # The backend loads the owner's permissions, and returns None once they may not sign in.
        owner = get_backends()[0].get_user(token.owner_id)
        if owner:
            token.owner = owner
            return token
    return None


def _get_existing(secret: str) -> ApiToken | None:
    token = ApiToken.objects.filter(digest=_digest(secret)).first()
    if token is None:
        return None
    if token.revoked_at or not may_show_again(token.created_at):
        made = f"“{token.name}” was made by this form before, and its secret is shown once."
        advice = "If you do not have the secret, revoke the token and make another."
        raise AlreadySubmitted(f"{made} Nothing new was made. {advice}")
    token.again = True
    return token


@asked
def _usable(digest: str, now: datetime) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(digest=digest, revoked_at=None, expires_at__gt=now)


def count_use(token: ApiToken) -> tuple[int, float]:
    """Count one request; returns how many this minute has seen and how many seconds of it are left.

    The first of a minute also marks the token as used.
    """
    now = timezone.now()
    minute, passed = divmod(now.timestamp(), 60)
    ((requests,),) = rows(_COUNT, {"token": token.pk, "minute": int(minute)})
    if requests == 1:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return int(requests), 60 - passed


def _digest(secret: str) -> str:
    # The secret holds 32 random bytes: nothing can be guessed from its digest, so no salt and no
    # slow hash is needed.
    return hashlib.sha256(secret.encode()).hexdigest()
