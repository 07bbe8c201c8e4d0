"""Tokens: make one (its secret is shown once), revoke it, recognise it, count its use."""

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
from reviewapp.web.one_time_forms import MadeBefore, is_fresh, secret_of

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

DEFAULT_DAYS, MOST_DAYS = 90, 365
MOST_TOKENS = 50
MANAGES_PEOPLE = "accounts.change_user"
_START, _SHOWN = "rvw_", 12
_SECRET = re.compile(r"rvw_[A-Za-z0-9_-]{43}\Z")

# One statement, so one round trip; a lost count after a crash is no harm, so nobody waits for the disk.
_COUNT = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO api_tokenuse (token_id, minute, requests) SELECT %(token)s, %(minute)s, 1 FROM quick
ON CONFLICT (token_id) DO UPDATE SET
    requests = CASE WHEN api_tokenuse.minute = excluded.minute THEN api_tokenuse.requests + 1 ELSE 1 END,
    minute = excluded.minute
RETURNING requests
"""


def create(
    owner: User,
    *,
    name: str,
    scope: str,
    days: int = DEFAULT_DAYS,
    actor: User | None,
    form_id: uuid.UUID | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for `owner` and return it with its secret, which nobody can read again.

    `actor` None is the command line. The same `form_id` with the same words makes one token: sent again soon it
    returns that one, later it raises `MadeBefore`. Raises `ValidationError` for a blank or long name, an unknown
    scope, a number of days outside 1 to `MOST_DAYS`, or when the person holds `MOST_TOKENS` usable ones.
    """
    secret = _START + secret_of(form_id, "token", owner.pk, name, scope, days)
    if made := _made_before(secret):
        return made, secret
    now = timezone.now()
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": f"A token lasts 1 to {MOST_DAYS} days."})
    if ApiToken.objects.filter(owner=owner, revoked_at=None, expires_at__gt=now).count() >= MOST_TOKENS:
        raise ValidationError(f"You have {MOST_TOKENS} tokens. Revoke one first.")
    token = ApiToken(
        owner=owner,
        name=name.strip(),
        prefix=secret[:_SHOWN],
        digest=_digest(secret),
        scope=scope,
        expires_at=now + timedelta(days=days),
    )
    token.full_clean(exclude=["digest", "last_used_at", "revoked_at"])
    try:
        with acting(actor, note="" if actor == owner else f"for {owner.get_username()}"):
            token.save()
    except IntegrityError:
        # A double click: the same form came in beside this one, and was first.
        if made := _made_before(secret):
            return made, secret
        raise
    return token, secret


def revoke(token: ApiToken, *, actor: User) -> bool:
    """Make a token useless for ever; returns whether it was not so already.

    Raises `PermissionDenied` when it is somebody else's and the actor does not manage people.
    """
    if token.owner_id != actor.pk and not actor.has_perm(MANAGES_PEOPLE):
        raise PermissionDenied("Revoking somebody else's token needs the role admin.")
    with acting(actor):
        return ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1


def recognise(secret: str) -> ApiToken | None:
    """Return the usable token with this secret and its owner; None for any that is unknown, over or taken away."""
    if not _SECRET.match(secret):
        return None
    for token in _usable(digest=_digest(secret), now=timezone.now()):
        # As a session's person is loaded: with what they may do, and not at all once they may not sign in.
        if owner := get_backends()[0].get_user(token.owner_id):
            token.owner = owner
            return token
    return None


def _made_before(secret: str) -> ApiToken | None:
    token = ApiToken.objects.filter(digest=_digest(secret)).first()
    if token is None:
        return None
    if token.revoked_at or not is_fresh(token.created_at):
        raise MadeBefore(
            f"“{token.name}” was made by this form before, and its secret is shown once. Nothing new was made. If you "
            "do not have the secret, revoke the token and make another."
        )
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
    # The secret holds 32 random bytes: nothing can be guessed from its digest, so no salt and no slow hash is needed.
    return hashlib.sha256(secret.encode()).hexdigest()
