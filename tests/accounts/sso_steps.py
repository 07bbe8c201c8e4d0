"""How a person comes in by single sign-on, step by step, for tests."""

from __future__ import annotations

from typing import Any

import requests
from django.test import Client

from tests.accounts.idp import Provider

WENDY = {
    "sub": "w-1",
    "preferred_username": "wendy",
    "email": "wendy@example.com",
    "email_verified": True,
    "groups": ["writers", "all"],
}


def begin(client: Client) -> str:
    """Press the button; return where the browser is led."""
    return client.post("/accounts/sso/login/")["Location"]


def come_back(client: Client, location: str) -> Any:
    """Let the provider consent, and follow it back."""
    led = requests.get(location, allow_redirects=False, timeout=60).headers["Location"]
    return client.get(led.removeprefix("http://testserver"))


def sign_in_by_sso(client: Client, idp: Provider, **who: Any) -> Any:
    idp.who = {name: value for name, value in (WENDY | who).items() if value is not None}
    return come_back(client, begin(client))
