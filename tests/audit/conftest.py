"""People whose creation is not in the history, so that it holds only what a test did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from tests.people import make_person


@contextmanager
def unrecorded() -> Iterator[None]:
    """Lift the triggers of people and their roles, as only the owner of the tables can."""
    tables = ("accounts_user", "accounts_user_groups")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        # A table whose foreign keys are still to be checked cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def arriving(username: str, role: str = "") -> User:
    with unrecorded():
        return make_person(username, role)


@pytest.fixture
def alice(db: None) -> User:
    """A reviewer."""
    return arriving("alice", roles.REVIEWER)


@pytest.fixture
def bob(db: None) -> User:
    """Another reviewer."""
    return arriving("bob", roles.REVIEWER)


@pytest.fixture
def lena(db: None) -> User:
    """A team lead."""
    return arriving("lena", roles.LEAD)


@pytest.fixture
def adam(db: None) -> User:
    """An admin."""
    return arriving("adam", roles.ADMIN)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody who can sign in but was given no role."""
    return arriving("stranger")
