"""Who gets in by single sign-on, as what: the provider's groups decide, at each sign-in."""

from __future__ import annotations

import hmac
import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import render

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.people.normal_form import lookup_key
from reviewapp.accounts.sso.groups import groups_in, role_for
from reviewapp.audit.context import acting

_log = logging.getLogger(__name__)


class GroupsDecide(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's own behaviour, where nobody gets in without a group that is mapped to a role."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Give the role of the groups to somebody known; turn away whoever may not in."""
        claims = sociallogin.account.extra_data["id_token"]
        if not _is_answer(claims, sociallogin.state):
            raise _refusal(request, "stale")
        role = role_for(groups_in(claims, settings.OIDC_GROUPS_CLAIM), settings.OIDC_ROLES, list(roles.PERMISSIONS))
        if not role:
            raise _refusal(request, "unmapped")
        if sociallogin.is_existing:
            _give_role(request, sociallogin.user, role)
        elif sociallogin.user.email and User.people.with_login(sociallogin.user.email).exists():
            raise _refusal(request, "taken", email=sociallogin.user.email)
        else:
            sociallogin.state["role"] = role

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Return the person as the provider describes them, without an address that nobody has verified."""
        user: User = super().populate_user(request, sociallogin, data)
        verified = [address for address in sociallogin.email_addresses if address.verified is True]
        sociallogin.email_addresses = verified
        if lookup_key(user.email) not in {lookup_key(address.email) for address in verified}:
            user.email = ""
        return user

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """Return the person with this verified address, when it is safe to say that it is the same one.

        It is not when only the normal form is the same (`ß` and `ss` are two mailboxes), or when the person came
        through the provider before as somebody else. allauth then voids the password: who held it need not be who holds
        the address.
        """
        for address in sociallogin.email_addresses:
            person = User.people.with_address(address.email).filter(is_active=True).first()
            if person is None or address.verified is not True or person.email.lower() != address.email.lower():
                continue
            known = SocialAccount.objects.filter(user=person, provider=sociallogin.account.provider)
            if not known.exists():
                return person, address.email
        return None

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return whether a mapped group lets this new person in."""
        return bool(sociallogin.state.get("role"))

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Make the new person, with the role of the groups."""
        with acting(None, note=_note()):
            try:
                with transaction.atomic():
                    user: User = super().save_user(request, sociallogin, form)
            except IntegrityError as error:
                # Somebody took the name or the address since we looked, or this is the second half of a double click.
                raise _refusal(request, "stale") from error
            roles.give_role(user, sociallogin.state["role"], actor=None, note=_note())
        return user


def _is_answer(claims: dict[str, Any], state: dict[str, Any]) -> bool:
    """Return whether the token was made for the sign-in that this browser began."""
    asked, told = state.get("nonce"), claims.get("nonce")
    return isinstance(asked, str) and isinstance(told, str) and hmac.compare_digest(asked.encode(), told.encode())


def _give_role(request: HttpRequest, user: User, role: str) -> None:
    """Bring the role in line with the groups; somebody inactive keeps theirs.

    Raises ImmediateHttpResponse, and changes nothing, where that would leave nobody who manages people.
    """
    if not user.is_active or roles.role_of(user) == role:
        return
    with acting(None, note=_note()):
        if roles.role_of(user) == roles.ADMIN and roles.is_last_admin(user):
            _log.warning("%s is the last admin and was turned away: the groups say %s", user.get_username(), role)
            raise _refusal(request, "last_admin", role=role)
        roles.give_role(user, role, actor=None, note=_note())


def _note() -> str:
    return f"by the groups of {settings.OIDC_NAME}"


def _refusal(request: HttpRequest, why: str, **context: str) -> ImmediateHttpResponse:
    context = {"why": why, "name": settings.OIDC_NAME, **context}
    return ImmediateHttpResponse(render(request, "socialaccount/refused.html", context, status=403))
