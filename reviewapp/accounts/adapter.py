"""Accounts are made by an admin, never by a stranger."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitationOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's own behaviour, without open registration."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: nobody registers by themselves."""
        return False
