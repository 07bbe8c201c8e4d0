"""Create, deactivate and reactivate people, end their access, and save their preferences.

Roles are given in `roles.py`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.accounts import roles
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people.normal_form import normalized
from reviewapp.accounts.signals import access_changed
from reviewapp.audit.context import acting

BY_LINK = "a new password was set by a link"
BY_COMMAND = "a new password was set at the command line"
BY_PERSON = "the password was changed"


def deactivate(user: User, *, actor: User) -> bool:
    """Deactivate the person's sign-in; return whether it was active.

    Their sessions are void at once, and `deactivated` says so until `reactivate` ends them. Their
    API tokens are revoked, and the links that they made for others, or that were made for them, are
    withdrawn. What other apps keep for them follows by the signal `access_changed`.

    Raises PermissionDenied, SelfLockout, LastAdmin.
    """
    roles.require_manager(actor)
    with acting(actor):
        roles.require_another_admin(user, actor=actor)

        updated = User.people.filter(pk=user.pk, is_active=True).update(is_active=False)
        if updated:
            Link.objects.withdraw_made_by(user)
            Link.objects.withdraw_for(user)
            revoke_tokens(user, actor=actor, note=f"{user.get_username()} was deactivated")
            access_changed.send(sender=type(user), person=user)
    return bool(updated)


def reactivate(user: User, *, actor: User) -> bool:
    """Reactivate the person's sign-in, with their previous role; return whether it was inactive.

    Their earlier sessions and API tokens do not work again.
    """
    roles.require_manager(actor)
    with acting(actor):
        updated = User.people.filter(pk=user.pk, is_active=False).update(is_active=True)
        if updated:
            # In the same transaction, so that an earlier session never works again. Only for a
            # person who was inactive: an active one uses theirs.
            end_sessions(user)
            # Some tokens may still be valid, if the person was not deactivated by `deactivate`.
            revoke_tokens(user, actor=actor, note=f"{user.get_username()} was deactivated")
    return bool(updated)


def remove_factors(user: User, *, actor: User) -> bool:
    """Remove a person's second factors and recovery codes; return whether there were any."""
    roles.require_manager(actor)
    with acting(actor):
        number, _ = Authenticator.objects.filter(user=user).delete()
    return bool(number)


def end_sessions(user: User) -> int:
    """Sign the person out everywhere; return the number of sessions."""
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    return len(sessions)


def revoke_tokens(user: User, *, actor: User | None, note: str) -> int:
    """Revoke the person's API tokens; return how many of them were valid."""
    with acting(actor, note=note):
        now = timezone.now()
        valid = user.api_tokens.filter(revoked_at=None, expires_at__gt=now)
        number: int = valid.update(revoked_at=now)
    return number


def end_old_password(user: User, *, actor: User | None, note: str) -> None:
    """Revoke what the old password, or whoever could set a new one, has let in: tokens and links.

    For a password that was not set by somebody who knew the old one. Sessions hold a hash of the
    password, and mailed links too.
    """
    with acting(actor, note=note):
        revoke_tokens(user, actor=actor, note=note)
        Link.objects.withdraw_for(user)


def end_after_reset(*, user: User, **_: object) -> None:
    """Revoke tokens and links of who reset their password (receiver of `password_reset`)."""
    end_old_password(user, actor=user, note=BY_LINK)


def withdraw_after_change(*, user: User, **_: object) -> None:
    """Withdraw links for a new password of who set one (receiver of `password_changed`).

    Their tokens stay, because they knew the old password.
    """
    with acting(user, note=BY_PERSON):
        Link.objects.withdraw_for(user)


def remove_old_access(user: User, *, note: str) -> None:
    """Take away all by which an earlier holder of the account could sign in, or act.

    For an account that somebody takes over who proved its address: nobody knows who set the
    password, the second factors and passkeys, the recovery codes, the tokens and the links, or
    whose the sessions are.
    """
    with acting(None, note=note):
        user.set_unusable_password()
        user.save(update_fields=["password"])
        Authenticator.objects.filter(user=user).delete()
        end_old_password(user, actor=None, note=note)
        end_sessions(user)


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """A person's preferences; `key_map` holds `{action: key}` for keys other than the defaults."""

    theme: str
    single_keys: bool
    blur_media: bool
    greyscale_media: bool
    mute_media: bool
    undo_seconds: int | None
    key_map: dict[str, str] = field(default_factory=dict)


def create_person(
    *,
    username: str,
    email: str,
    password: str,
    role: str,
    actor: User | None,
    note: str = "",
    joining: bool = False,
) -> User:
    """Create a person who can sign in with the name or the address.

    `actor` None is the command line, or the app. If the person is `joining` by an invitation, the
    history shows them as the actor.

    Raises PermissionDenied if the actor may not manage people, ValidationError if the name or the
    address is malformed or taken, or the password is too easy to guess.
    """
    roles.require_manager(actor)

    address = User.objects.normalize_email(normalized(email))
    user = User(username=normalized(username), email=address)
    user.full_clean(exclude=["password"], validate_unique=False)
    _check_is_free(user)
    validate_password(password, user)
    user.set_password(password)
    if joining:
        # They are the history's actor before the save.
        user.pk = User.people.next_key()

    with acting(user if joining else actor, note=note):
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError:
            # Another person took the name or the address since the check.
            _check_is_free(user)
            raise

        if joining:
            roles.assign_first_role(user, role)
        else:
            roles.give_role(user, role, actor=actor, note=note)
    return user


def save_preferences(user: User, preferences: Preferences) -> None:
    """Save the user's preferences."""
    _save(user, **asdict(preferences))


def save_theme(user: User, theme: str) -> None:
    """Save the user's theme (one of `User.Theme`)."""
    _save(user, theme=theme)


def _check_is_free(user: User) -> None:
    # The sign-in takes either in one field, so a name must not be another person's address, nor an
    # address another person's name.
    if User.people.with_login(user.username).exists():
        raise ValidationError(
            {"username": _("%(name)s is taken. Choose another name.") % {"name": user.username}}
        )
    if User.people.with_login(user.email).exists():
        raise ValidationError(
            {"email": _("Somebody else signs in with %(email)s.") % {"email": user.email}}
        )


def _save(user: User, **fields: object) -> None:
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))
