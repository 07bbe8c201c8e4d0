"""What can be done about people: make one, and keep how each likes to work. Roles are given in `roles.py`.

What admins do about people: switch their sign-in off and on, and take a lost second factor away; what it ends.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.people.normal_form import normalized
from reviewapp.asked import rows
from reviewapp.audit.context import acting

BY_LINK = "a new password was set by a link"
BY_COMMAND = "a new password was set at the command line"


def deactivate(user: User, *, actor: User) -> bool:
    """Switch the person's sign-in off; return whether it was on.

    Their sessions are void at once, and say why (`deactivated`) until `reactivate` ends them; their API tokens are
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


def revoke_tokens(user: User, *, actor: User | None, note: str) -> int:
    """Revoke the person's API tokens for good; return how many of them worked until now."""
    with acting(actor, note=note):
        now = timezone.now()
        revoked: int = user.api_tokens.filter(revoked_at=None, expires_at__gt=now).update(revoked_at=now)
    return revoked


def revoke_after_reset(*, user: User, **_: object) -> None:
    """Revoke the tokens of somebody who set a new password by a mailed link (a receiver of `password_reset`)."""
    revoke_tokens(user, actor=user, note=BY_LINK)


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """How a person likes to work; `key_map` holds `{action: key}` only where it is not the action's own."""

    theme: str
    single_keys: bool
    blur_media: bool
    greyscale_media: bool
    mute_media: bool
    undo_seconds: int | None
    key_map: dict[str, str] = field(default_factory=dict)


def create_person(
    *, username: str, email: str, password: str, role: str, actor: User | None, note: str = "", joining: bool = False
) -> User:
    """Make a person who can sign in with the name or the address; `actor` None is the command line, or the app.

    Somebody who is `joining` is not made by anybody else: history tells it as that person's own deed.

    Raises PermissionDenied when the actor may not manage people, ValidationError when the name is malformed or
    taken, the address is malformed or somebody else's, or the password is too easy to guess.
    """
    roles.may_manage(actor)
    user = User(username=normalized(username), email=User.objects.normalize_email(normalized(email)))
    user.full_clean(exclude=["password"], validate_unique=False)
    _refuse_if_taken(user)
    validate_password(password, user)
    user.set_password(password)
    user.pk = _next_key() if joining else None

    with acting(user if joining else actor, note=note):
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError:
            # Somebody took the name or the address since we looked.
            _refuse_if_taken(user)
            raise

        if joining:
            roles.take_on(user, role)
        else:
            roles.give_role(user, role, actor=actor, note=note)
    return user


def save_preferences(user: User, wanted: Preferences) -> None:
    """Keep how `user` likes to work."""
    _save(user, **asdict(wanted))


def save_theme(user: User, theme: str) -> None:
    """Keep the user's theme (one of `User.Theme`)."""
    _save(user, theme=theme)


def _refuse_if_taken(user: User) -> None:
    # One field takes both at sign-in, so a name may not be somebody's address, nor an address somebody's name.
    if User.people.with_login(user.username).exists():
        raise ValidationError({"username": f"{user.username} is taken."})
    if User.people.with_login(user.email).exists():
        raise ValidationError({"email": f"Somebody else signs in with {user.email}."})


def _next_key() -> int:
    """Return the key that the next person would get: whoever joins has one before the row is there."""
    ((key,),) = rows("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [User._meta.db_table])
    return int(key)


def _save(user: User, **fields: object) -> None:
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))
