"""Load the person of a session with their permissions in one query instead of three."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from reviewapp.accounts.models import User
from reviewapp.accounts.sessions.session_store import SessionStore
from reviewapp.postgres.statement import sql_file

_FIELDS = (
    "id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email",
    "is_staff", "is_active", "date_joined", "username_key", "email_key", "pseudonym", "theme",
    "single_keys", "key_map", "blur_media", "greyscale_media", "mute_media", "undo_seconds",
    "last_active",
)  # fmt: skip


def _build_person(permissions_held: list[str], *values: Any) -> User:
    person = User.from_db("default", _FIELDS, values)
    person.permissions_held = set(permissions_held)
    return person


_PERSON = sql_file(__file__, "person.sql", _build_person)


def read_nobody() -> None:
    """Read a session and a person that do not exist, as each request reads its own."""
    SessionStore(session_key="0" * 32).load()
    _PERSON.first(pk=0)


class OneQuery(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, which loads the person of each request with their permissions."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person of a session; None if there is none or they may not sign in."""
        person = _PERSON.first(pk=user_id)
        if person is None or not self.user_can_authenticate(person):
            return None
        return person

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the loaded permissions; query them for a person who was loaded in another way."""
        held: set[str] | None = getattr(user_obj, "permissions_held", None)
        if held is not None and obj is None and user_obj.is_active:
            return held

        permissions: set[str] = super().get_all_permissions(user_obj, obj)
        return permissions
