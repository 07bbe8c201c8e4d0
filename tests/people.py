"""The people of every test, each with a name and a fixed role, and how they sign in.

- `client.force_login(alice)` signs in the test's own client;
- `alice_client`, `lena_client` and `adam_client` are clients of their own, signed in;
- `signed_in(bob)` returns one more;
- `sign_in_with_password(client)` is for tests of signing in: it posts the sign-in form, as Carol.

A browser is signed in by `tests/desk.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import User

PASSWORD = "seven-green-bottles"


def make_person(username: str, role: str = "", **fields: Any) -> User:
    """Return a new person with `role` ("" for none), without a password unless a hash is given."""
    fields = {"password": make_password(None), "email": f"{username}@example.com", **fields}
    user = User.objects.create(username=username, **fields)
    if role:
        user.groups.set([Group.objects.get(name=role)])
    return user


def signed_in(user: User) -> Client:
    """Return a new client in which `user` is signed in, without the sign-in page."""
    client = Client()
    client.force_login(user)
    return client


def sign_in_with_password(client: Client, login: str = "carol", password: str = PASSWORD) -> Any:
    """Post the sign-in form and return the response."""
    return client.post("/accounts/login/", {"login": login, "password": password})


@pytest.fixture
def alice(db: None) -> User:
    """A reviewer."""
    return make_person("alice", roles.REVIEWER)


@pytest.fixture
def bob(db: None) -> User:
    """Another reviewer."""
    return make_person("bob", roles.REVIEWER)


@pytest.fixture
def lena(db: None) -> User:
    """A team lead."""
    return make_person("lena", roles.LEAD)


@pytest.fixture
def adam(db: None) -> User:
    """An admin."""
    return make_person("adam", roles.ADMIN)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody who can sign in but was given no role."""
    return make_person("stranger")


@pytest.fixture
def quick_hashing(settings: Settings, db: None) -> None:
    """Passwords are hashed fast; failed sign-ins of other tests are forgotten."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def carol(quick_hashing: None) -> User:
    """A reviewer who has a password, `PASSWORD`."""
    return make_person("carol", roles.REVIEWER, password=make_password(PASSWORD))


@pytest.fixture
def alice_client(alice: User) -> Client:
    """A client in which Alice, a reviewer, is signed in."""
    return signed_in(alice)


@pytest.fixture
def lena_client(lena: User) -> Client:
    """A client in which Lena, a team lead, is signed in."""
    return signed_in(lena)


@pytest.fixture
def adam_client(adam: User) -> Client:
    """A client in which Adam, an admin, is signed in."""
    return signed_in(adam)


@pytest.fixture
def carol_client(carol: User) -> Client:
    """A client in which Carol signed in with her password."""
    client = Client()
    sign_in_with_password(client)
    return client
