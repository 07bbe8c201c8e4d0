"""What the tests of accounts share: real passwords, hashed fast."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from tests.people import person

PASSWORD = "seven-green-bottles"


@pytest.fixture
def carol(settings: Settings, db: None) -> User:
    """A reviewer with a password; failed sign-ins of other tests are forgotten."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    return person("carol", roles.REVIEWER, password=make_password(PASSWORD))
