"""Restrict sign-in: no open registration, no demo passwords with a real Mixpeek, rate limits."""

from __future__ import annotations

import secrets
from ipaddress import IPv6Address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import get_ip
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from reviewapp.accounts.models import User
from reviewapp.accounts.people import demo
from reviewapp.accounts.sign_in import failure_limits
from reviewapp.web.http import is_local_path

_MISMATCH = _("Wrong username or password. Is Caps Lock on?")


class InvitationOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's adapter without open registration and without public passwords."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _MISMATCH,
        "too_many_failures": _(
            "Too many wrong passwords for this account. Sign in from a browser in which you were "
            "signed in before, with a passkey or by a link for a new password, or try again in an "
            "hour."
        ),
        "too_many_login_attempts": _("Too many failed attempts. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: only invited people can join."""
        return False

    def generate_unique_username(self, txts: list[str | None], regex: str | None = None) -> str:
        """Return a username that is unique in any spelling, for a new single sign-on person."""
        username: str = super().generate_unique_username(txts, regex)
        while User.people.with_login(username).exists():
            candidate = f"{username}{secrets.randbelow(10)}"
            username = super().generate_unique_username([candidate])
        return username

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's IP address; an IPv4 address mapped to IPv6 is returned as IPv4."""
        address: str = super().get_client_ip(request)
        try:
            mapped = IPv6Address(address).ipv4_mapped
        except ValueError:
            return address
        if mapped is None:
            return address
        return str(mapped)

    def is_safe_url(self, url: str) -> bool:
        """Return whether a sign-in may redirect to `url`: only to our own paths."""
        return is_local_path(url)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth counts by the name alone: any stranger could then lock out the account's owner.
        account_key = failure_limits.account_key(request, credentials.get("username", ""))
        return f"{account_key} {get_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Reject too many attempts, and demo passwords with a real Mixpeek.

        All browsers together have a limit for each account, which stops an attacker with many IP
        addresses. A browser in which the owner was signed in before has a limit of its own, so that
        strangers cannot lock the owner out.
        """
        super().pre_authenticate(request, **credentials)

        username = credentials.get("username", "")
        if failure_limits.is_exhausted(request, failure_limits.PASSWORD, username):
            raise self.validation_error("too_many_failures")

        has_demo_password = demo.has_demo_password(credentials.get("password", ""))
        if has_demo_password and not demo.are_allowed():
            raise ValidationError(
                _("Demo passwords work only with the sandbox. Ask an admin for an account.")
            )

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the failed attempt."""
        username = credentials.get("username", "")
        failure_limits.count_failure(request, failure_limits.PASSWORD, username)
