"""A session that cannot be stored: it was deleted meanwhile, or the database is in trouble."""

from __future__ import annotations

import psycopg
import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.utils import timezone

from reviewapp.accounts.sessions.session_store import SessionStore
from tests.operations.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> SessionStore:
    """A session that is stored and has changed since."""
    store = SessionStore()
    store["theme"] = "dark"
    store.save()
    store["theme"] = "light"
    return store


def test_it_reads_a_session_until_it_expires(store: SessionStore) -> None:
    assert SessionStore(store.session_key)["theme"] == "dark"
    Session.objects.update(expire_date=timezone.now())
    assert "theme" not in SessionStore(store.session_key)


def test_it_saves_no_session_under_a_key_that_a_visitor_chose() -> None:
    visitor = SessionStore("chosen_by_the_visitor")
    visitor["theme"] = "dark"
    visitor.save()
    assert Session.objects.get().session_key == visitor.session_key != "chosen_by_the_visitor"


def test_it_says_that_the_session_was_deleted_meanwhile(store: SessionStore) -> None:
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()


def test_it_does_not_take_a_database_in_trouble_for_that(store: SessionStore) -> None:
    with psycopg.connect(database_url()) as other, connection.cursor() as cursor:
        other.execute("SELECT FROM django_session FOR UPDATE")
        cursor.execute("SET lock_timeout = '20ms'")
        with pytest.raises(OperationalError):
            store.save()
        cursor.execute("RESET lock_timeout")
