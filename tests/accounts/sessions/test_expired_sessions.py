"""Sessions that nobody uses any more are deleted, and those that strangers begin do not last."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.accounts.sessions.session_store import SessionStore
from reviewapp.accounts.tasks import delete_expired_sessions
from tests.accounts.idp import Provider
from tests.people import signed_in

pytestmark = pytest.mark.django_db

AJAX = {"X-Requested-With": "XMLHttpRequest"}


@pytest.fixture(autouse=True)
def nothing_counted(db: None) -> None:
    cache.clear()


def expire(key: str | None) -> None:
    Session.objects.filter(session_key=key).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )


def test_it_deletes_expired_sessions_and_no_others(alice: User, bob: User) -> None:
    gone, used = signed_in(alice), signed_in(bob)
    expire(gone.session.session_key)
    delete_expired_sessions(timestamp=0)
    assert list(Session.objects.values_list("session_key", flat=True)) == [used.session.session_key]


def test_it_deletes_what_the_list_of_sessions_says_about_them(alice: User, bob: User) -> None:
    gone, used = signed_in(alice), signed_in(bob)
    long_ago = timezone.now() - timedelta(days=2)
    for person, browser in ((alice, gone), (bob, used)):
        key = browser.session.session_key
        UserSession.objects.create(
            user=person, ip="127.0.0.1", session_key=key, last_seen_at=long_ago
        )
    expire(gone.session.session_key)
    delete_expired_sessions(timestamp=0)
    assert [entry.user for entry in UserSession.objects.all()] == [bob]


def test_it_spares_an_entry_whose_session_is_about_to_be_stored(alice: User) -> None:
    UserSession.objects.create(user=alice, ip="127.0.0.1", session_key="a" * 32)
    delete_expired_sessions(timestamp=0)
    assert UserSession.objects.exists()


def test_it_lets_the_session_of_a_stranger_end_after_an_hour() -> None:
    Client().get("/accounts/2fa/passkeys/login/", headers=AJAX)
    assert Session.objects.get().expire_date - timezone.now() < timedelta(minutes=61)


def test_it_lets_the_session_of_a_person_last(carol_client: Client) -> None:
    assert SessionStore(carol_client.session.session_key).get_expiry_age() > 24 * 3600
    assert Session.objects.get().expire_date - timezone.now() > timedelta(days=1)


@pytest.mark.slow
def test_it_begins_sixty_sessions_a_minute_for_the_passkeys_of_one_network() -> None:
    answers = [
        Client().get("/accounts/2fa/passkeys/login/", headers=AJAX).status_code for _ in range(61)
    ]
    assert answers == [200] * 60 + [429]
    assert Session.objects.count() == 60


@pytest.mark.slow
def test_it_begins_sixty_sessions_a_minute_for_the_single_sign_on_of_one_network(
    idp: Provider,
) -> None:
    answers = [Client().post("/accounts/sso/login/").status_code for _ in range(61)]
    assert answers == [302] * 60 + [429]
    assert Session.objects.count() == 60
