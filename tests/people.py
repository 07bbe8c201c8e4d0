"""The people of every test: each has a name and a fixed role. Sign one in with `client.force_login(alice)`."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from reviewapp.accounts import roles
from reviewapp.accounts.models import User


def person(username: str, role: str = "", **fields: Any) -> User:
    """Return a new person with `role` ("" for none), who has no password unless a hashed one is given."""
    fields = {"password": make_password(None), "email": f"{username}@example.com", **fields}
    user = User.objects.create(username=username, **fields)
    if role:
        user.groups.set([Group.objects.get(name=role)])
    return user


@pytest.fixture
def alice(db: None) -> User:
    """A reviewer."""
    return person("alice", roles.REVIEWER)


@pytest.fixture
def bob(db: None) -> User:
    """Another reviewer."""
    return person("bob", roles.REVIEWER)


@pytest.fixture
def lena(db: None) -> User:
    """A team lead."""
    return person("lena", roles.LEAD)


@pytest.fixture
def adam(db: None) -> User:
    """An admin."""
    return person("adam", roles.ADMIN)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody who can sign in but was given no role."""
    return person("stranger")
