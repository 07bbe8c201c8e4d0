"""What can be done about people: make one, and keep how each likes to work. Roles are given in `roles.py`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.normal_form import normalized
from reviewapp.asked import rows
from reviewapp.audit.trace import acting


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
