"""Who may what: the three roles, as groups, each with its permissions; a later role may all that an earlier may."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied

from reviewapp.accounts.exceptions import LastAdmin, OnYourself
from reviewapp.audit.context import acting

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

REVIEWER, LEAD, ADMIN = "reviewer", "lead", "admin"

_REVIEWER = ["annotations.view_annotation", "annotations.decide_annotation", "retrievers.view_retriever"]
_LEAD = [*_REVIEWER, "audit.view_event", "retrievers.run_retriever", "outbox.manage_change"]
_ADMIN = [*_LEAD, "retrievers.change_retriever", "outbox.resume_outbox", "accounts.change_user"]

PERMISSIONS: dict[str, list[str]] = {REVIEWER: _REVIEWER, LEAD: _LEAD, ADMIN: _ADMIN}

_log = logging.getLogger(__name__)


def role_of(user: User) -> str:
    """Return the name of the user's highest role, "" when there is none."""
    held = set(user.groups.values_list("name", flat=True))
    return next((role for role in reversed(PERMISSIONS) if role in held), "")


def roles_with(permission: str) -> list[str]:
    """Return the roles that hold `permission` (`app_label.codename`), lowest first."""
    return [role for role, held in PERMISSIONS.items() if permission in held]


def give_role(user: User, role: str, *, actor: User | None, note: str = "") -> None:
    """Make `role` the user's only role; "" takes all away. `actor` None is the command line, or the app itself.

    Raises PermissionDenied when the actor may not manage people, ValueError when no role has that name, OnYourself
    and LastAdmin when an actor would take the role of admin away.
    """
    may_manage(actor)
    if role and role not in PERMISSIONS:
        raise ValueError(f"{role!r} is no role; the roles are {', '.join(PERMISSIONS)}")
    with acting(actor, note=note):
        if actor is not None and role != ADMIN and role_of(user) == ADMIN:
            _keep_an_admin(user, actor=actor, deed="take the role of admin away from")
        user.groups.remove(*user.groups.filter(name__in=PERMISSIONS).exclude(name=role))
        if role:
            user.groups.add(Group.objects.get(name=role))
    by = actor.get_username() if actor else note or "the command line"
    _log.info("role %s given to %s by %s", role or "(none)", user.get_username(), by)


def take_on(user: User, role: str) -> None:
    """Give somebody who joins just now the role of their invitation; the caller says who is acting."""
    user.groups.add(Group.objects.get(name=role))
    _log.info("role %s taken on by %s, who was invited", role, user.get_username())


def may_manage(actor: User | None) -> None:
    """Raise PermissionDenied when the actor may not manage people; None is the command line, which may."""
    if actor is not None and not actor.has_perm("accounts.change_user"):
        raise PermissionDenied("accounts.change_user")


def keep_an_admin_active(user: User, *, actor: User) -> None:
    """Let nobody deactivate themselves (OnYourself) or the last active admin (LastAdmin); inside a transaction."""
    if user.pk == actor.pk or (user.is_active and role_of(user) == ADMIN):
        _keep_an_admin(user, actor=actor, deed="deactivate")


def _keep_an_admin(user: User, *, actor: User, deed: str) -> None:
    if user.pk == actor.pk:
        raise OnYourself(f"You cannot {deed} yourself. Another admin can do that.")
    if is_last_admin(user):
        raise LastAdmin(f"You cannot {deed} {user.get_username()}, the last admin. Make somebody else an admin first.")


def is_last_admin(user: User) -> bool:
    """Return whether nobody but `user` is an active admin.

    Locks the answer until the transaction ends: of two admins who remove each other at the same instant, the second
    has to wait for the first.
    """
    Group.objects.select_for_update().get(name=ADMIN)
    admins = set(type(user).people.active_in(ADMIN).values_list("pk", flat=True))
    return admins <= {user.pk}


def make_groups(*, apps: Apps = current_apps, using: str = "default", **_: object) -> None:
    """Bring the three groups in line with `PERMISSIONS`; safe to repeat, run after each migrate.

    Makes the permissions first: Django's own receiver makes them app by app, some of them after this one.
    Does nothing while auth itself is not migrated (`apps` is the state that the migration reached).
    """
    try:
        group_model = apps.get_model("auth", "Group")
    except LookupError:
        return
    held = _permissions(apps, using)
    with acting(None, note="migrate"):
        for name, codes in PERMISSIONS.items():
            group, _created = group_model.objects.using(using).get_or_create(name=name)
            group.permissions.set([held[code] for code in codes if code in held])


def _permissions(apps: Apps, using: str) -> dict[str, Any]:
    labels = {code.partition(".")[0] for codes in PERMISSIONS.values() for code in codes}
    for label in labels:
        create_permissions(current_apps.get_app_config(label), verbosity=0, using=using, apps=apps)
    found = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label__in=labels)
    return {f"{each.content_type.app_label}.{each.codename}": each for each in found.select_related("content_type")}
