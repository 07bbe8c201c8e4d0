"""Load the person of a session with their permissions in one query instead of three."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.postgres.fields import ArrayField
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL

from reviewapp.accounts.models import User
from reviewapp.asked import asked

_PERMISSIONS_HELD = """
ARRAY(
    SELECT type.app_label || '.' || permission.codename
    FROM auth_permission permission
    JOIN django_content_type type ON type.id = permission.content_type_id
    WHERE permission.id IN (
        SELECT given.permission_id FROM accounts_user_groups member
        JOIN auth_group_permissions given USING (group_id) WHERE member.user_id = accounts_user.id
        UNION ALL
        SELECT own.permission_id FROM accounts_user_user_permissions own
        WHERE own.user_id = accounts_user.id
    )
)
"""


@asked
def _person(pk: int) -> QuerySet[User]:
    text_array = ArrayField(TextField())
    held = RawSQL(_PERMISSIONS_HELD, [], output_field=text_array)  # noqa: S611 - no parameters
    return User.people.filter(pk=pk).annotate(permissions_held=held)


class OneQuery(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, which loads the person of each request with their permissions."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person of a session; None if there is none or they may not sign in."""
        person = next(iter(_person(pk=user_id)), None)
        if person is None or not self.user_can_authenticate(person):
            return None
        return person

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the loaded permissions; query them for a person who was loaded in another way."""
        held = getattr(user_obj, "permissions_held", None)
        if held is not None and obj is None and user_obj.is_active:
            return set(held)

        permissions: set[str] = super().get_all_permissions(user_obj, obj)
        return permissions
