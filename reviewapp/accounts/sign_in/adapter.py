"""Who may sign in: people whom an admin made, and the demo's people only where nothing real is behind."""

from __future__ import annotations

import secrets
from ipaddress import IPv6Address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from allauth.core.internal.ratelimit import get_ip
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from reviewapp.accounts.models import User
from reviewapp.accounts.people import demo
from reviewapp.accounts.sessions.session_proof import COOKIE, proven_person_id
from reviewapp.web.http import is_path_of_ours

_FAILED_AT_ACCOUNT = "login_failed_at_account"
_NO_FIT = "Name and password do not fit together. Check both, and the Caps Lock key."


class InvitationOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's own behaviour, without open registration and without passwords that everybody may know."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _NO_FIT,
        "too_many_failures": (
            "Too many passwords that did not fit were tried at this account. Sign in from a browser in which you were "
            "signed in before, by a passkey or by a link for a new password, or try again in an hour."
        ),
        "too_many_login_attempts": "Too many tries that did not fit. Wait a minute, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: nobody registers by themselves."""
        return False

    def generate_unique_username(self, txts: list[str | None], regex: str | None = None) -> str:
        """Return a name that nobody has in any spelling, for somebody who comes by single sign-on."""
        username: str = super().generate_unique_username(txts, regex)
        while User.people.with_login(username).exists():
            username = super().generate_unique_username([f"{username}{secrets.randbelow(10)}"])
        return username

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address of the client: of an IPv4 address written as IPv6, the IPv4 address."""
        address: str = super().get_client_ip(request)
        try:
            mapped = IPv6Address(address).ipv4_mapped
        except ValueError:
            mapped = None
        return str(mapped) if mapped else address

    def is_safe_url(self, url: str) -> bool:
        """Return whether a sign-in may lead on to `url`: to paths of ours, and nothing that no header can hold."""
        return is_path_of_ours(url)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth counts by the name alone, so that a guesser anywhere would lock the owner out everywhere.
        return f"{_account_key(request, credentials.get('username', ''))} {get_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse a guesser, and a demo password once a real Mixpeek is behind, whoever's it is.

        A guesser with many addresses is stopped by what all browsers together may try at one account. A browser in
        which the account's owner was signed in is not among them, so strangers do not lock the owner out.
        """
        super().pre_authenticate(request, **credentials)
        key = _account_key(request, credentials.get("username", ""))
        if not ratelimit.consume(request, action=_FAILED_AT_ACCOUNT, key=key, dry_run=True):
            raise self.validation_error("too_many_failures")
        if demo.has_demo_password(credentials.get("password", "")) and not demo.are_welcome():
            raise ValidationError("The demo's passwords work only with the sandbox. Ask an admin for a sign-in.")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count what did not fit."""
        key = _account_key(request, credentials.get("username", ""))
        ratelimit.consume(request, action=_FAILED_AT_ACCOUNT, key=key)


def _account_key(request: HttpRequest, username: str) -> str:
    """Return what failures at an account are counted by: a browser of the owner's counts by itself."""
    owner_id = proven_person_id(request)
    is_owners = owner_id is not None and User.people.filter(pk=owner_id, username=username).exists()
    return f"{username} {request.COOKIES[COOKIE]}" if is_owners else username
