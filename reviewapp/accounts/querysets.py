"""Named questions about people and links, each with the index that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from reviewapp.accounts.people.normal_form import lookup_key

if TYPE_CHECKING:
    from reviewapp.accounts.models import Link, User

# Recovery codes alone are none: they only stand in for the other one.
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class PersonQuerySet(models.QuerySet["User"]):
    """People, in no order unless said otherwise."""

    def listed(self) -> Self:
        """Return them with what the list of people shows; read in the order of the unique username."""
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
        return self.prefetch_related("groups").annotate(has_second_factor=Exists(factors))

    def mentioning(self, words: str) -> Self:
        """Return those with `words` in the name, the address or both real names."""
        fields = ("username", "email", "first_name", "last_name")
        return self.filter(Q.create([(f"{name}__icontains", words) for name in fields], Q.OR))

    def active_in(self, role: str) -> Self:
        """Return those who can sign in and hold `role`."""
        return self.filter(is_active=True, groups__name=role)

    def with_name(self, username: str) -> Self:
        """Return the person of this name, however it is spelled; the unique `username_key` answers it."""
        return self.filter(username_key=lookup_key(username))

    def with_address(self, email: str) -> Self:
        """Return the person who has this address, however it is spelled; the unique `email_key` answers it."""
        return self.filter(email_key=lookup_key(email)) if email else self.none()

    def with_login(self, login: str) -> Self:
        """Return whom the name or address that somebody typed at sign-in means."""
        key = lookup_key(login)
        return self.filter(Q(username_key=key) | Q(email_key=key)) if key else self.none()


class LinkQuerySet(models.QuerySet["Link"]):
    """Links that an admin passed on."""

    def usable(self) -> Self:
        """Return those that still open: not used, not withdrawn, not run out."""
        return self.filter(used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())

    def inviting(self, email: str) -> Self:
        """Return the waiting invitations of this address, however it is spelled."""
        key = lookup_key(email)
        waiting = self.waiting().values_list("pk", "email")
        return self.filter(pk__in=[pk for pk, invited in waiting if lookup_key(invited) == key])

    def waiting(self) -> Self:
        """Return the invitations that nobody accepted yet, newest first, those that ran out as well."""
        return self.filter(kind="invitation", used_at=None, withdrawn_at=None).order_by("-id")
