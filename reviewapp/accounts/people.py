"""What admins do about people: switch their sign-in off and on, and take a lost second factor away; what it ends."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils import timezone

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.audit.trace import acting

BY_LINK = "a new password was set by a link"


def deactivate(user: User, *, actor: User) -> bool:
    """Switch the person's sign-in off; return whether it was on.

    Their sessions are void at once, and say why (`switched_off`) until `reactivate` ends them; their API tokens are
    revoked. Raises PermissionDenied, OnYourself, LastAdmin (see `roles.keep_an_admin_active`).
    """
    roles.may_manage(actor)
    with acting(actor):
        roles.keep_an_admin_active(user, actor=actor)
        switched = User.people.filter(pk=user.pk, is_active=True).update(is_active=False)
        if switched:
            revoke_tokens(user, actor=actor, note=f"{user.get_username()} was deactivated")
    return bool(switched)


def reactivate(user: User, *, actor: User) -> bool:
    """Switch the person's sign-in on again, with the role they had, and end what let them in before.

    Return whether it was off.
    """
    roles.may_manage(actor)
    with acting(actor):
        switched = User.people.filter(pk=user.pk, is_active=False).update(is_active=True)
        # Deleted in the same transaction, the sessions of before stay void; those of somebody active are in use.
        if switched:
            end_sessions(user)
            # Those of somebody who was deactivated otherwise than here, or before that revoked tokens.
            revoke_tokens(user, actor=actor, note=f"{user.get_username()} was deactivated")
    return bool(switched)


def remove_factors(user: User, *, actor: User) -> bool:
    """Take all second factors of a person away who lost them, recovery codes too; return whether there were any."""
    roles.may_manage(actor)
    with acting(actor):
        removed, _ = Authenticator.objects.filter(user=user).delete()
    return bool(removed)


def end_sessions(user: User) -> int:
    """Sign the person out everywhere; return how many sessions ended."""
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    return len(sessions)


def revoke_tokens(user: User, *, actor: User, note: str) -> int:
    """Revoke the person's API tokens for good; return how many of them worked until now."""
    with acting(actor, note=note):
        now = timezone.now()
        revoked: int = user.api_tokens.filter(revoked_at=None, expires_at__gt=now).update(revoked_at=now)
    return revoked


def revoke_after_reset(*, user: User, **_: object) -> None:
    """Revoke the tokens of somebody who set a new password by a mailed link (a receiver of `password_reset`)."""
    revoke_tokens(user, actor=user, note=BY_LINK)
