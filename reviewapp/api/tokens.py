"""Services for API tokens: create, revoke, authenticate, count requests."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth import get_backends
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.api.models import ApiToken
from reviewapp.audit.context import acting
from reviewapp.naming import tidy, unwritable
from reviewapp.postgres.statement import model_builder, sql_file
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

_FIELDS = (
    "id", "owner_id", "name", "prefix", "digest", "scope", "created_at", "expires_at",
    "last_used_at", "revoked_at",
)  # fmt: skip


_TOKEN = sql_file(__file__, "token.sql", model_builder(ApiToken, _FIELDS))
_COUNT_TOKEN_USE = sql_file(__file__, "count_token_use.sql", int)


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

    held = unwritable(name)
    if held:
        raise ValidationError({"name": held})

    now = timezone.now()
    if not 1 <= days <= MAX_DAYS:
        raise ValidationError({"days": _("Enter 1 to %(most)s days.") % {"most": MAX_DAYS}})
    usable = ApiToken.objects.filter(owner=owner, revoked_at=None, expires_at__gt=now)
    if usable.count() >= MAX_TOKENS:
        raise ValidationError(
            _("You have %(most)s tokens. Revoke one first.") % {"most": MAX_TOKENS}
        )

    token = ApiToken(
        owner=owner,
        name=tidy(name),
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
        raise PermissionDenied(_("Only admins can revoke tokens of other people."))
    with acting(actor):
        active = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        return active.update(revoked_at=timezone.now()) == 1


def authenticate(secret: str) -> ApiToken | None:
    """Return the token with this secret; None if it is unknown, expired or revoked."""
    if not _SECRET.match(secret):
        return None
    token = _TOKEN.first(digest=_digest(secret), now=timezone.now())
    if token is None:
        return None

    # The backend loads the owner's permissions, and returns None once they may not sign in.
    owner = get_backends()[0].get_user(token.owner_id)
    if owner is None:
        return None
    token.owner = owner
    return token


def _get_existing(secret: str) -> ApiToken | None:
    token = ApiToken.objects.filter(digest=_digest(secret)).first()
    if token is None:
        return None
    if token.revoked_at or not may_show_again(token.created_at):
        message = _(
            "This form already created “%(name)s”, which is shown only once. "
            "No other token was "
            "created. If you do not have the token, revoke it and create another."
        )
        raise AlreadySubmitted(message % {"name": token.name})
    token.again = True
    return token


def count_use(token: ApiToken) -> tuple[int, float]:
    """Count one request; returns how many this minute has seen and how many seconds of it are left.

    The first of a minute also marks the token as used.
    """
    now = timezone.now()
    minute, passed = divmod(now.timestamp(), 60)
    (requests,) = _COUNT_TOKEN_USE.rows(token=token.pk, minute=int(minute))
    if requests == 1:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return requests, 60 - passed


def _digest(secret: str) -> str:
    # The secret holds 32 random bytes: nothing can be guessed from its digest, so no salt and no
    # slow hash is needed.
    return hashlib.sha256(secret.encode()).hexdigest()
