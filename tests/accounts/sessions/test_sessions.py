"""The list of a person's sessions, signing out elsewhere, expiry and last activity."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from tests.people import sign_in_with_password

URL = "/accounts/sessions/"


def browser(name: str) -> Client:
    """Return a browser in which carol is signed in."""
    client = Client(HTTP_USER_AGENT=name)
    sign_in_with_password(client)
    return client


def test_it_lists_ones_own_sessions_and_nobody_elses(carol: User, adam: User) -> None:
    here, _ = browser("Firefox on a desk"), browser("Safari on a phone")
    Client(HTTP_USER_AGENT="Lynx").force_login(adam)

    page = here.get(URL).content.decode()

    assert "Firefox on a desk" in page
    assert "Safari on a phone" in page
    assert "Lynx" not in page
    assert page.count("This browser") == 1


def test_it_signs_out_everywhere_else(carol: User) -> None:
    here, there = browser("here"), browser("there")

    page = here.post(URL, follow=True).content.decode()

    assert "You are signed out everywhere else" in page
    assert not get_user(there).is_authenticated
    assert there.get("/preferences").status_code == 302
    assert here.get("/preferences").status_code == 200


def test_it_shows_odd_browsers_as_text(carol: User) -> None:
    page = browser("<script>alert(1)</script>" + "x" * 1000).get(URL)

    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


def used_long_ago(client: Client, *, seconds: int, began: int | None = None) -> None:
    session = client.session
    session["used"] = int(time.time()) - seconds
    session["began"] = int(time.time()) - (began or seconds)
    session.save()


def last_active(user: User) -> datetime | None:
    return User.people.get(pk=user.pk).last_active


def test_it_notes_use_once_a_minute_at_most(carol: User) -> None:
    client = browser("here")
    User.objects.update(last_active=None)

    used_long_ago(client, seconds=30)
    client.get("/preferences")
    assert last_active(carol) is None

    used_long_ago(client, seconds=61)
    client.get("/preferences")
    assert last_active(carol)

    with CaptureQueriesContext(connection) as queries:
        client.get("/preferences")
    assert not [
        query["sql"]
        for query in queries.captured_queries
        if not query["sql"].lstrip().startswith("SELECT")
    ]


def test_it_notes_that_somebody_signed_in(carol: User) -> None:
    browser("here")

    assert last_active(carol)


def test_it_ends_a_session_that_is_too_old_however_much_it_is_used(
    carol: User, settings: Settings
) -> None:
    client = browser("here")
    used_long_ago(client, seconds=100, began=settings.SESSION_DAYS * 24 * 3600 + 60)

    response = client.get("/preferences")

    assert response["Location"].startswith("/accounts/login/")
    assert not get_user(client).is_authenticated


def test_it_ends_a_session_that_was_not_used(carol: User, settings: Settings) -> None:
    settings.SESSION_COOKIE_AGE = 3600
    client = browser("here")
    assert client.session.get_expiry_age() == pytest.approx(3600, abs=60)
    assert int(client.cookies[settings.SESSION_COOKIE_NAME]["max-age"]) == pytest.approx(
        3600, abs=60
    )

    used_long_ago(client, seconds=61)
    client.get("/preferences")

    left = client.session.get_expiry_date() - timezone.now()
    assert left == pytest.approx(timedelta(hours=1), abs=timedelta(minutes=1))


def test_it_gives_a_stranger_no_session_for_a_look(
    client: Client, settings: Settings, db: None
) -> None:
    client.get("/preferences")

    assert settings.SESSION_COOKIE_NAME not in client.cookies
