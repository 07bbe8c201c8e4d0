"""QuerySets of people and links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from allauth.mfa.models import Authenticator
from django.db import connection, models
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.utils import timezone

from reviewapp.accounts.people.normal_form import lookup_key
from reviewapp.naming import letters_pattern
from reviewapp.storable import is_storable

if TYPE_CHECKING:
    from reviewapp.accounts.models import Link, User

# Recovery codes are not a factor of their own: they only replace one of these.
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class PersonQuerySet(models.QuerySet["User"]):
    """People, unordered unless stated otherwise."""

    def listed(self) -> Self:
        """Add what the list of people shows: groups and `has_second_factor`."""
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
        return self.prefetch_related("groups").annotate(has_second_factor=Exists(factors))

    def matching_words(self, words: str) -> Self:
        """Return people with `words` in the username, the address or the first or last name."""
        condition = Q()
        for name in ("username", "email", "first_name", "last_name"):
            condition |= Q(**{f"{name}__icontains": words})
        return self.filter(condition)

    def with_letters(self, text: str) -> Self:
        """Return people with the letters of `text`, in their order, in one of their names.

        By username, but first those whose username holds `text` as it is.
        """
        pattern = letters_pattern(text)
        condition = Q()
        for name in ("username", "first_name", "last_name"):
            condition |= Q(**{f"{name}__iregex": pattern})
        holds_text = ExpressionWrapper(Q(username__icontains=text), BooleanField())
        return self.filter(condition).order_by(holds_text.desc(), "username")

    def active_in(self, role: str) -> Self:
        """Return active people with `role`."""
        return self.filter(is_active=True, groups__name=role)

    def with_name(self, username: str) -> Self:
        """Return the person with this name in any spelling (index of `username_key`)."""
        if not is_storable(username):
            return self.none()
        return self.filter(username_key=lookup_key(username))

    def with_address(self, email: str) -> Self:
        """Return the person with this address in any spelling (index of `email_key`)."""
        if not email or not is_storable(email):
            return self.none()
        return self.filter(email_key=lookup_key(email))

    def with_login(self, login: str) -> Self:
        """Return the person whose name or address this is, in any spelling."""
        key = lookup_key(login)
        if not key or not is_storable(key):
            return self.none()
        return self.filter(Q(username_key=key) | Q(email_key=key))

    def next_key(self) -> int:
        """Take the primary key that the next person would get."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_user', 'id'))")
            (key,) = cursor.fetchone()
        return int(key)


class LinkQuerySet(models.QuerySet["Link"]):
    """Invitations and links for a new password."""

    def usable(self) -> Self:
        """Return links that are not used, withdrawn or expired."""
        return self.filter(used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())

    def withdraw_made_by(self, maker: User) -> int:
        """Withdraw the usable links that `maker` made for others; return how many."""
        usable = self.usable().filter(made_by=maker)
        return usable.update(withdrawn_at=timezone.now())

    def withdraw_for(self, person: User) -> int:
        """Withdraw the usable links by which `person` could set a password; return how many."""
        usable = self.usable().filter(person=person)
        return usable.update(withdrawn_at=timezone.now())

    def inviting(self, email: str) -> Self:
        """Return the waiting invitations of this address in any spelling."""
        key = lookup_key(email)
        waiting = self.waiting().values_list("pk", "email")
        keys = [pk for pk, invited in waiting if lookup_key(invited) == key]
        return self.filter(pk__in=keys)

    def waiting(self) -> Self:
        """Return invitations that are not accepted or withdrawn, newest first."""
        waiting = self.filter(kind="invitation", used_at=None, withdrawn_at=None)
        return waiting.order_by("-id")
