"""The database as the app's own user sees it, over a session of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from reviewapp.postgres.cluster import APP_USER

SCRIPT = Path(__file__).parents[1] / "docs" / "database-roles.sql"
_PASSWORD = "only-in-tests"


def grant_rights() -> None:
    """Run the script in docs/ as the owner; on a configured server the user also gets a password."""
    with connection.cursor() as cursor:
        cursor.execute(SCRIPT.read_text())
        if not connection.settings_dict.get("EMBEDDED"):
            cursor.execute(f"ALTER ROLE {APP_USER} PASSWORD '{_PASSWORD}'")


@pytest.fixture
def app_session(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A session of the app's user, in which each statement is a transaction."""
    grant_rights()
    params: dict[str, Any] = connection.get_connection_params()
    for django_only in ("cursor_factory", "context"):
        params.pop(django_only, None)
    own = {"user": APP_USER, "password": _PASSWORD, "autocommit": True}
    with psycopg.connect(**params | own) as session:
        yield session


@contextmanager
def as_app_user() -> Iterator[None]:
    """Have Django's own connection be that of the app's user."""
    own = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD", "EMBEDDED")}
    grant_rights()
    connection.close()
    # The bundled server is up, and would be asked for its owner again.
    connection.settings_dict.update(USER=APP_USER, PASSWORD=_PASSWORD, EMBEDDED=False)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(own)


def refused(
    session: psycopg.Connection, statement: str, match: str = r"permission denied|must be owner"
) -> None:
    """Assert that the database refuses a statement of this user."""
    with pytest.raises(psycopg.Error, match=match), session.transaction():
        session.execute(statement)
