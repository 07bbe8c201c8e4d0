"""People, how each of them likes to work, and the links by which they get in."""

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


def new_pseudonym() -> str:
    """Return a random name, made from nothing that is known of a person."""
    return f"reviewer_{secrets.token_hex(6)}"


class User(AbstractUser):
    """A person who signs in; roles are groups (see `roles.py`), the rest are that person's own preferences.

    `username_key` and `email_key` are the normal form of the name and the address (see `normal_form.py`). They are
    unique, so no two people share a name or an address; `email_key` is null without an address. `save` fills them.
    Where SQL writes a name or an address alone, the trigger `KEYS_FOLLOW` does.

    `pseudonym` is what Mixpeek is told instead of the name (`MIXPEEK_REVIEWER`).

    `undo_seconds` is None for what the site says; `last_active` is written once a minute at most (see `middleware.py`).
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

    # The permission that was asked for last and refused: the 403 page says which role holds it.
    refused = ""

    class Meta:
        constraints = [
            # with_name(), with_address(), with_login()
            models.UniqueConstraint(fields=["username_key"], name="one_person_a_name"),
            models.UniqueConstraint(fields=["email_key"], name="one_person_an_address"),
        ]
        triggers = [PERSON, KEYS_FOLLOW, NeverTruncated()]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Store the person, with the name and the address in their normal form and the keys that follow from them."""
        self.username = normalized(self.username)
        self.email = normalized(self.email)
        self.username_key = lookup_key(self.username)
        self.email_key = lookup_key(self.email) or None

        if update_fields is not None:
            changed = {"username", "email"} & set(update_fields)
            update_fields = [*update_fields, *(f"{name}_key" for name in changed)]

        super().save(*args, update_fields=update_fields, **kwargs)

    @property
    def hold(self) -> int:
        """For how many seconds this person's decisions can be taken back before they are sent; 0 is not at all."""
        return settings.UNDO_SECONDS if self.undo_seconds is None else self.undo_seconds

    @property
    def ref(self) -> str:
        """Return how history names this person."""
        return f"people/{self.username}"

    def lacks_second_factor(self) -> bool:
        """Return whether this person's role needs a second factor and the person has none.

        One query, and only where `SECOND_FACTOR_ROLES` names a role.
        """
        if not settings.SECOND_FACTOR_ROLES:
            return False
        bound = User.people.filter(pk=self.pk, groups__name__in=settings.SECOND_FACTOR_ROLES)
        return bound.exclude(authenticator__type__in=FACTORS).exists()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return whether this person holds `perm`, and remember a refusal."""
        held: bool = super().has_perm(perm, obj)
        if not held:
            self.refused = perm
        return held


class Link(models.Model):
    """A link that an admin passes on, good for one use until it runs out; of its secret only the digest is kept.

    An invitation has the address and the role of somebody new, and gets its `person` when accepted. A link for a new
    password has its `person` from the start.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        PASSWORD = "password", "New password"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=20, blank=True)
    person = models.ForeignKey("accounts.User", models.CASCADE, null=True, blank=True, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = LinkQuerySet.as_manager()

    # Whether it was there already when its form came in: then it is shown again and neither made nor mailed.
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
        """Return whether it is too late for this link."""
        return self.expires_at <= timezone.now()


# Tables that others made and our triggers watch: pgtrigger reaches them through a proxy.


class HeldRole(User.groups.through):  # type: ignore[name-defined,misc]
    """That a person holds a role; Django makes this table by itself, so no class can be named."""

    class Meta:
        proxy = True
        app_label = "accounts"
        triggers = [ROLE, NeverUpdated(), NeverTruncated()]


class OwnPermission(User.user_permissions.through):  # type: ignore[name-defined,misc]
    """That a person holds a permission beside those of a role; the app gives none."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [OWN_PERMISSION, NeverUpdated(), NeverTruncated()]


class Role(Group):
    """A role itself, by name."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [GROUP, NeverTruncated()]


class RolePermission(Group.permissions.through):  # type: ignore[name-defined,misc]
    """That a role holds a permission; migrate brings them in line with `roles.PERMISSIONS`."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [GROUP_PERMISSION, NeverUpdated(), NeverTruncated()]


class Factor(Authenticator):  # type: ignore[misc]
    """A second factor of a person, which allauth keeps and does not type."""

    class Meta:
        proxy = True
        app_label = "accounts"
        triggers = [FACTOR, NeverTruncated()]


class Identity(SocialAccount):  # type: ignore[misc]
    """That somebody at the single sign-on provider is a person of ours; allauth's, which does not type it."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [IDENTITY, NeverTruncated()]


class SignInAddress(EmailAddress):  # type: ignore[misc]
    """An address by which allauth knows a person; allauth's, which does not type it."""

    class Meta:
        proxy = True
        app_label = "accounts"
        default_permissions = ()
        triggers = [ADDRESS, NeverTruncated()]
