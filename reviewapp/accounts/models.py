"""People with their preferences, and the links by which they join or set a new password."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.db.models import Q
from django.utils import timezone

from reviewapp.accounts.history_triggers import (
    ADDRESS,
    FACTOR,
    GROUP,
    GROUP_PERMISSION,
    IDENTITY,
    KEYS_FOLLOW,
    LINK,
    OWN_PERMISSION,
    PERSON,
    ROLE,
)
from reviewapp.accounts.people.normal_form import lookup_key, normalized
from reviewapp.accounts.querysets import FACTORS, LinkQuerySet, PersonQuerySet
from reviewapp.audit.triggers import NeverTruncated, NeverUpdated
from reviewapp.ref import Ref, RefKind


def new_pseudonym() -> str:
    """Return a random name, independent of the person."""
    return f"reviewer_{secrets.token_hex(6)}"


class User(AbstractUser):
    """A person who signs in, with their preferences; roles are groups (see `roles.py`).

    `username_key` and `email_key` are the lookup keys of the name and the address
    (`normal_form.py`). They are unique, so no two people share a name or an address; `email_key` is
    null without an address. `save` fills them; if SQL writes only a name or an address, the trigger
    `KEYS_FOLLOW` does.

    `pseudonym` is sent to Mixpeek instead of the name (`MIXPEEK_REVIEWER`). `undo_seconds` is None
    for the site's default. `last_active` is written at most once a minute (`middleware.py`).
    """

    class Theme(models.TextChoices):
        SYSTEM = "system", "Like my system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    username_key = models.TextField(editable=False)
    email_key = models.TextField(null=True, editable=False)
    pseudonym = models.CharField(max_length=40, unique=True, default=new_pseudonym, editable=False)
    theme = models.CharField(max_length=10, choices=Theme.choices, default=Theme.SYSTEM)
    single_keys = models.BooleanField("single-key shortcuts", default=True)
    key_map = models.JSONField(default=dict, blank=True)
    blur_media = models.BooleanField("blur media until I ask", default=False)
    greyscale_media = models.BooleanField("show media in grey", default=False)
    mute_media = models.BooleanField("start media muted", default=False)
    undo_seconds = models.PositiveSmallIntegerField(null=True, blank=True)
    last_active = models.DateTimeField(null=True, blank=True)

    people = PersonQuerySet.as_manager()

    # All permissions of an active person whom the backend loaded for a request.
    permissions_held: set[str] | None = None
    # The permission that was denied last: the 403 page names the roles that have it.
    refused = ""

    class Meta:
        constraints = [
            # with_name(), with_address(), with_login()
            models.UniqueConstraint(fields=["username_key"], name="one_person_a_name"),
            models.UniqueConstraint(fields=["email_key"], name="one_person_an_address"),
        ]
        triggers = [PERSON, KEYS_FOLLOW, NeverTruncated()]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the person with normalized name and address, and their lookup keys."""
        self.username = normalized(self.username)
        self.email = normalized(self.email)
        self.username_key = lookup_key(self.username)
        self.email_key = lookup_key(self.email) or None

        if update_fields is not None:
            renamed = {"username", "email"} & set(update_fields)
            update_fields = [*update_fields, *(f"{name}_key" for name in renamed)]

        super().save(*args, update_fields=update_fields, **kwargs)

    @property
    def hold(self) -> int:
        """For how many seconds this person's decisions can be undone before they are sent."""
        if self.undo_seconds is None:
            return settings.UNDO_SECONDS
        return self.undo_seconds

    @property
    def ref(self) -> str:
        """The ref of this person in the history."""
        return str(Ref(RefKind.PERSON, self.username))

    def lacks_second_factor(self) -> bool:
        """Return whether this person's role requires a second factor and they have none.

        One query if `SECOND_FACTOR_ROLES` names a role, else none.
        """
        if not settings.SECOND_FACTOR_ROLES:
            return False

        bound = User.people.filter(pk=self.pk, groups__name__in=settings.SECOND_FACTOR_ROLES)
        return bound.exclude(authenticator__type__in=FACTORS).exists()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return whether this person has `perm`; remember a denied permission."""
        held: bool = super().has_perm(perm, obj)
        if not held:
            self.refused = perm
        return held


class Link(models.Model):
    """A link that an admin passes on; it works once, until it expires. Only its digest is stored.

    An invitation has the address and the role of a new person, and gets its `person` when accepted.
    A link for a new password has its `person` from the start.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        PASSWORD = "password", "New password"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=20, blank=True)
    person = models.ForeignKey(
        "accounts.User",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="links",
    )
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = LinkQuerySet.as_manager()

    # Whether its form was submitted before: the link is then shown again, and not mailed again.
    again = False

    class Meta:
        indexes = [
            # waiting(): the open invitations of the people page
            models.Index(
                fields=["-id"],
                name="link_waiting",
                condition=Q(kind="invitation", used_at__isnull=True, withdrawn_at__isnull=True),
            ),
        ]
        triggers = [LINK, NeverTruncated()]

    @property
    def has_run_out(self) -> bool:
        """Whether the link has expired."""
        return self.expires_at <= timezone.now()


# Proxy models, through which pgtrigger adds our triggers to the tables of Django and allauth.


class HeldRole(User.groups.through):  # type: ignore[name-defined,misc]
    """The role of a person; a table that Django creates without a class of its own."""

    class Meta:
        proxy = True
        app_label = "accounts"
        triggers = [ROLE, NeverUpdated(), NeverTruncated()]


class OwnPermission(User.user_permissions.through):  # type: ignore[name-defined,misc]
    """A permission of a person beside those of the role; the app itself gives none."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [OWN_PERMISSION, NeverUpdated(), NeverTruncated()]


class Role(Group):
    """A role by name."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [GROUP, NeverTruncated()]


class RolePermission(Group.permissions.through):  # type: ignore[name-defined,misc]
    """A permission of a role; each migrate synchronizes them with `roles.PERMISSIONS`."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [GROUP_PERMISSION, NeverUpdated(), NeverTruncated()]


class Factor(Authenticator):  # type: ignore[misc]
    """A second factor of a person; the base model of allauth is untyped."""

    class Meta:
        proxy = True
        app_label = "accounts"
        triggers = [FACTOR, NeverTruncated()]


class Identity(SocialAccount):  # type: ignore[misc]
    """A person's account at the single sign-on provider; allauth's base model is untyped."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [IDENTITY, NeverTruncated()]


class SignInAddress(EmailAddress):  # type: ignore[misc]
    """An address by which allauth knows a person; its base model is untyped."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [ADDRESS, NeverTruncated()]
