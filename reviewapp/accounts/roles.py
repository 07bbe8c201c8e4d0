"""The three roles and their permissions, as Django groups; each role includes the one before it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from reviewapp.accounts.exceptions import LastAdmin, SelfLockout
from reviewapp.accounts.models import Link
from reviewapp.accounts.signals import access_changed
from reviewapp.audit.context import acting

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

REVIEWER = "reviewer"
LEAD = "lead"
ADMIN = "admin"

MANAGES_PEOPLE = "accounts.change_user"

_REVIEWER = [
    "annotations.view_annotation",
    "annotations.decide_annotation",
    "retrievers.view_retriever",
]
_LEAD = [*_REVIEWER, "audit.view_event", "retrievers.run_retriever", "outbox.manage_change"]
_ADMIN = [*_LEAD, "retrievers.change_retriever", "outbox.resume_outbox", MANAGES_PEOPLE]

PERMISSIONS: dict[str, list[str]] = {REVIEWER: _REVIEWER, LEAD: _LEAD, ADMIN: _ADMIN}

_log = logging.getLogger(__name__)


def role_of(user: User) -> str:
    """Return the name of the user's highest role; "" for none."""
    names = user.groups.values_list("name", flat=True)
    return highest_role(set(names))


def highest_role(names: Collection[str]) -> str:
    """Return the highest role among these names of groups; "" for none."""
    for role in reversed(PERMISSIONS):
        if role in names:
            return role
    return ""


def roles_with(permission: str) -> list[str]:
    """Return the roles that have `permission` (`app_label.codename`), lowest first."""
    return [role for role, permissions in PERMISSIONS.items() if permission in permissions]


def give_role(user: User, role: str, *, actor: User | None, note: str = "") -> None:
    """Make `role` the user's only role; "" removes every role.

    Links that the user made for others are withdrawn, unless the role manages people; what other
    apps keep for the user follows by the signal `access_changed`.
    `actor` None is the command line, or the app itself. Raises PermissionDenied if the actor may
    not manage people, ValueError for an unknown role, and SelfLockout or LastAdmin if an actor
    would remove the role of admin.
    """
    require_manager(actor)
    if role and role not in PERMISSIONS:
        raise ValueError(f"{role!r} is no role; the roles are {', '.join(PERMISSIONS)}")

    with acting(actor, note=note):
        if actor is not None and role != ADMIN and role_of(user) == ADMIN:
            _require_another_admin(
                user,
                actor=actor,
                own=_("You cannot remove your own admin role. Another admin can."),
                last=_("You cannot change the role of %(name)s, the last admin. %(advice)s"),
            )

        other_roles = user.groups.filter(name__in=PERMISSIONS).exclude(name=role)
        user.groups.remove(*other_roles)
        if role:
            user.groups.add(Group.objects.get(name=role))
        if MANAGES_PEOPLE not in PERMISSIONS.get(role, []):
            Link.objects.withdraw_made_by(user)
        access_changed.send(sender=type(user), person=user)

    reason = note or "from the command line"
    if actor is not None:
        reason = f"by {actor.get_username()}"
    _log.info("role %s given to %s: %s", role or "(none)", user.get_username(), reason)


def assign_first_role(user: User, role: str) -> None:
    """Give a person who joins by an invitation their role; the caller sets the history's actor."""
    user.groups.add(Group.objects.get(name=role))
    _log.info("role %s taken on by %s, who was invited", role, user.get_username())


def require_manager(actor: User | None) -> None:
    """Raise PermissionDenied if the actor may not manage people; None is the command line."""
    if actor is not None and not actor.has_perm(MANAGES_PEOPLE):
        raise PermissionDenied(MANAGES_PEOPLE)


def require_another_admin(user: User, *, actor: User) -> None:
    """Check that the actor may deactivate the user; call it inside a transaction.

    Raises SelfLockout for the actor themselves, LastAdmin for the last active admin.
    """
    if user.pk == actor.pk or (user.is_active and role_of(user) == ADMIN):
        _require_another_admin(
            user,
            actor=actor,
            own=_("You cannot deactivate yourself. Another admin can."),
            last=_("You cannot deactivate %(name)s, the last admin. %(advice)s"),
        )


def _require_another_admin(user: User, *, actor: User, own: str, last: str) -> None:
    if user.pk == actor.pk:
        raise SelfLockout(own)

    if is_last_admin(user):
        advice = _("First make somebody else an admin.")
        raise LastAdmin(last % {"name": user.get_username(), "advice": advice})


def is_last_admin(user: User) -> bool:
    """Return whether nobody but `user` is an active admin.

    Locks the role until the transaction ends: of two admins who remove each other at the same time,
    the second waits for the first.
    """
    Group.objects.select_for_update().get(name=ADMIN)
    admins = set(type(user).people.active_in(ADMIN).values_list("pk", flat=True))
    return admins <= {user.pk}


def sync_groups(*, apps: Apps = current_apps, using: str = "default", **_: object) -> None:
    """Bring the three groups in line with `PERMISSIONS` after each migrate. Safe to repeat.

    Does nothing until auth is migrated (`apps` is the state that the migration reached).
    """
    try:
        group_model = apps.get_model("auth", "Group")
    except LookupError:
        return

    # Django's own receiver creates the permissions of each app, some of them only after this one.
    all_codes: set[str] = set().union(*PERMISSIONS.values())
    app_labels = {code.partition(".")[0] for code in all_codes}
    for label in app_labels:
        app_config = current_apps.get_app_config(label)
        create_permissions(app_config, verbosity=0, using=using, apps=apps)

    permission_model = apps.get_model("auth", "Permission")
    rows = permission_model.objects.using(using).filter(content_type__app_label__in=app_labels)
    permissions: dict[str, Any] = {}
    for row in rows.select_related("content_type"):
        permissions[f"{row.content_type.app_label}.{row.codename}"] = row

    with acting(None, note="migrate"):
        for name, codes in PERMISSIONS.items():
            group, _created = group_model.objects.using(using).get_or_create(name=name)
            created = [permissions[code] for code in codes if code in permissions]
            group.permissions.set(created)
