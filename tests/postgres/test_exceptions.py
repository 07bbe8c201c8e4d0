"""A database that cannot be reached is a 503, to be tried again; other failures stay a 500."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.postgres.exceptions import is_unreachable


def failure(kind: type[Exception], cause: Exception) -> Exception:
    error = kind("no")
    error.__cause__ = cause
    return error


AWAY = [
    failure(OperationalError, psycopg.OperationalError("connection refused")),
    failure(OperationalError, psycopg.errors.AdminShutdown("terminating")),
    failure(OperationalError, psycopg.errors.CannotConnectNow("starting up")),
    failure(InterfaceError, psycopg.InterfaceError("the connection is closed")),
]
OTHER = [
    failure(OperationalError, psycopg.errors.DeadlockDetected("deadlock")),
    failure(OperationalError, psycopg.errors.DiskFull("full")),
    ValueError("no"),
]


@pytest.mark.parametrize("error", AWAY)
def test_it_is_away_when_there_is_no_connection(error: Exception) -> None:
    assert is_unreachable(error)


@pytest.mark.parametrize("error", OTHER)
def test_it_is_there_when_it_refuses(error: Exception) -> None:
    assert not is_unreachable(error)
    assert not is_unreachable(None)


@pytest.mark.parametrize(
    ("error", "status"), [(AWAY[0], 503), (AWAY[3], 503), (OTHER[0], 500), (OTHER[2], 500)]
)
def test_it_answers_so_that_a_browser_tries_again(
    client: Client, alice: User, error: Exception, status: int
) -> None:
    client.force_login(alice)
    client.raise_request_exception = False

    def fails(*_: Any) -> None:
        raise error

    with connection.execute_wrapper(fails):
        response = client.get("/annotations")
    assert response.status_code == status
    assert response.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert "<h1>" in response.content.decode()
