"""What admins do about people: switch their sign-in off and on, and take a lost second factor away."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.audit.trace import acting


def deactivate(user: User, *, actor: User) -> bool:
    """Switch the person's sign-in off; return whether it was on.

    Their sessions are void at once, and say why (`switched_off`) until `reactivate` ends them. Raises PermissionDenied,
    OnYourself, LastAdmin (see `roles.keep_an_admin_active`).
    """
    roles.may_manage(actor)
    with acting(actor):
        roles.keep_an_admin_active(user, actor=actor)
        switched = User.people.filter(pk=user.pk, is_active=True).update(is_active=False)
    return bool(switched)


def reactivate(user: User, *, actor: User) -> bool:
    """Switch the person's sign-in on again, with the role they had, and end the old sessions.

    Return whether it was off.
    """
    roles.may_manage(actor)
    with acting(actor):
        switched = User.people.filter(pk=user.pk, is_active=False).update(is_active=True)
        # Deleted in the same transaction, the sessions of before stay void; those of somebody active are in use.
        if switched:
            end_sessions(user)
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
