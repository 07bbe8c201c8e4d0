"""Decide by the provider's groups, at each sign-in, who may sign in and with which role."""

from __future__ import annotations

import logging
from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import render

from reviewapp.accounts import roles, services
from reviewapp.accounts.models import User
from reviewapp.accounts.people.normal_form import lookup_key
from reviewapp.accounts.sso.groups import groups_in, role_for
from reviewapp.accounts.sso.provider_session import ProviderSession
from reviewapp.accounts.sso.tokens import has_nonce
from reviewapp.audit.context import acting

_MAX_LOGGED = 500

_log = logging.getLogger(__name__)


class GroupsDecide(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's adapter; a sign-in requires a group that is mapped to a role."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Give a known person the role of their groups; raise a refusal if they may not sign in.

        Without a mapped group they lose their role, so that their tokens and other sessions open
        nothing either.
        """
        claims = sociallogin.account.extra_data["id_token"]
        if not has_nonce(claims, sociallogin.state.get("nonce")):
            raise _refusal(request, "stale")

        groups = groups_in(claims, settings.OIDC_GROUPS_CLAIM)
        role = role_for(groups, settings.OIDC_ROLES, list(roles.PERMISSIONS))
        if not role:
            # A person who is only found by the address is not linked yet, and keeps their role.
            if sociallogin.account.pk:
                _sync_role(request, sociallogin.user, role)
            raise _refusal(request, "unmapped")

        email = sociallogin.user.email
        if sociallogin.is_existing:
            with acting(None, note=_note()):
                _sync_role(request, sociallogin.user, role)
                if not sociallogin.account.pk:
                    _take_over(request, sociallogin)
        elif email and User.people.with_login(email).exists():
            raise _refusal(request, "taken", email=email)
        else:
            sociallogin.state["role"] = role

    def get_requests_session(self) -> requests.Session:
        """Return the session for requests to the provider."""
        return ProviderSession()

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Log why a sign-in failed: the page says that the log has it."""
        _log.warning("a single sign-on failed: %s", str(exception or error)[:_MAX_LOGGED])

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Return the person as the provider describes them, without unverified addresses."""
        user: User = super().populate_user(request, sociallogin, data)

        addresses = sociallogin.email_addresses
        verified = [address for address in addresses if address.verified is True]
        sociallogin.email_addresses = verified

        verified_keys = {lookup_key(address.email) for address in verified}
        if lookup_key(user.email) not in verified_keys:
            user.email = ""
        return user

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """Return the person with this verified address, if it is certainly the same person.

        It is not if only the lookup keys match (`ß` and `ss` are two mailboxes), or if the person
        has another account at this provider.
        """
        for address in sociallogin.email_addresses:
            person = User.people.with_address(address.email).filter(is_active=True).first()
            if person is None or address.verified is not True:
                continue
            if person.email.lower() != address.email.lower():
                continue

            provider = sociallogin.account.provider
            accounts = SocialAccount.objects.filter(user=person, provider=provider)
            if not accounts.exists():
                return person, address.email
        return None

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return whether this new person has a mapped group."""
        return bool(sociallogin.state.get("role"))

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Create the new person with the role of their groups."""
        with acting(None, note=_note()):
            try:
                with transaction.atomic():
                    user: User = super().save_user(request, sociallogin, form)
            except IntegrityError as error:
                # Another person took the name or the address since the check, or a double click.
                raise _refusal(request, "stale") from error

            roles.give_role(user, sociallogin.state["role"], actor=None, note=_note())
        return user


def _take_over(request: HttpRequest, sociallogin: Any) -> None:
    """Link the account of the person who was found by the address, and remove all earlier access.

    The owner of that access need not be the owner of the address.
    """
    user: User = sociallogin.user
    note = f"linked to an account of {settings.OIDC_NAME}"
    services.remove_old_access(user, note=note)
    try:
        with acting(None, note=note):
            sociallogin.connect(request, user)
    except IntegrityError as error:
        # A double click: another request linked the account first.
        raise _refusal(request, "stale") from error


def _sync_role(request: HttpRequest, user: User, role: str) -> None:
    """Give the person the role of their groups, "" for none; an inactive person keeps theirs.

    Raises ImmediateHttpResponse, and changes nothing, if no admin would be left.
    """
    if not user.is_active or roles.role_of(user) == role:
        return

    with acting(None, note=_note()):
        if roles.role_of(user) == roles.ADMIN and roles.is_last_admin(user):
            _log.warning(
                "%s is the last admin and was turned away: the groups say %s",
                user.get_username(),
                role or "no role",
            )
            raise _refusal(request, "last_admin", role=role)
        roles.give_role(user, role, actor=None, note=_note())


def _note() -> str:
    return f"by the groups of {settings.OIDC_NAME}"


def _refusal(request: HttpRequest, why: str, **context: str) -> ImmediateHttpResponse:
    context = {"why": why, "name": settings.OIDC_NAME, **context}
    response = render(request, "socialaccount/refused.html", context, status=403)
    return ImmediateHttpResponse(response)
