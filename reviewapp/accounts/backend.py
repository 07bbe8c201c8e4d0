"""Who a session belongs to, and what that person may do, in one query instead of three."""

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
    FROM auth_permission permission JOIN django_content_type type ON type.id = permission.content_type_id
    WHERE permission.id IN (
        SELECT given.permission_id FROM accounts_user_groups member
        JOIN auth_group_permissions given USING (group_id) WHERE member.user_id = accounts_user.id
        UNION ALL
        SELECT own.permission_id FROM accounts_user_user_permissions own WHERE own.user_id = accounts_user.id
    )
)
"""


@asked
def _person(pk: int) -> QuerySet[User]:
    held = RawSQL(_PERMISSIONS_HELD, [], output_field=ArrayField(TextField()))  # noqa: S611 - no value goes into it
    return User.people.filter(pk=pk).annotate(permissions_held=held)


class OneQuery(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, which loads the person of each request together with the permissions."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person of a session; None when there is none or they may not sign in."""
        found = next(iter(_person(pk=user_id)), None)
        return found if found and self.user_can_authenticate(found) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return what came with the person; whoever was loaded otherwise is asked for as usual."""
        held = getattr(user_obj, "permissions_held", None)
        if held is None or obj is not None or not user_obj.is_active:
            usual: set[str] = super().get_all_permissions(user_obj, obj)
            return usual
        return set(held)
