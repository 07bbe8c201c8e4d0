"""Who may sign in: people whom an admin made, and the demo's people only where nothing real is behind."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from reviewapp.accounts import demo
from reviewapp.accounts.models import User

_NO_FIT = "Name and password do not fit together. Check both, and the Caps Lock key."


class InvitationOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's own behaviour, without open registration and without passwords that everybody may know."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _NO_FIT,
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

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth counts by the name alone, so that a guesser anywhere would lock the owner out everywhere.
        return f"{super()._get_login_attempts_cache_key(request, **credentials)} {self.get_client_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse a demo password once a real Mixpeek is behind, whoever's it is."""
        super().pre_authenticate(request, **credentials)
        if demo.has_demo_password(credentials.get("password", "")) and not demo.are_welcome():
            raise ValidationError("The demo's passwords work only with the sandbox. Ask an admin for a sign-in.")
