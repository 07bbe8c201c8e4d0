"""A single sign-on provider of our own, for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from reviewapp.accounts import roles
from tests.accounts.idp import CLIENT_ID, CLIENT_SECRET, Provider, running_provider


@pytest.fixture
def idp(settings: Settings, quick_hashing: None) -> Iterator[Provider]:
    """A running provider that is set up here: its `writers` are reviewers, its `heads` are admins."""
    with running_provider() as provider:
        configure(settings, provider)
        yield provider


def configure(settings: Settings, provider: Provider) -> None:
    """Set single sign-on up as the environment would."""
    settings.OIDC_SERVER_URL, settings.OIDC_NAME = provider.url, "Our house"
    settings.OIDC_ROLES = {"writers": roles.REVIEWER, "heads": roles.ADMIN}
    app = {
        "provider_id": "sso",
        "name": "Our house",
        "client_id": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "settings": {"server_url": provider.url},
    }
    known = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {**known, "APPS": [app]}}
