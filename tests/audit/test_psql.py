"""A change made with psql shows up as what it is."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection

from reviewapp.audit.actions import Origin
from reviewapp.audit.models import Event
from tests.factories import make_bare_annotation

pytestmark = pytest.mark.process


@pytest.mark.django_db(transaction=True)
def test_it_records_a_change_made_outside_the_app() -> None:
    make_bare_annotation()
    params: dict[str, Any] = connection.get_connection_params() | {"application_name": "psql"}
    for ours in ("cursor_factory", "context"):
        params.pop(ours, None)
    with psycopg.connect(**params) as outside:
        outside.execute("UPDATE annotations_annotation SET label = 'dog'")
        (user,) = outside.execute("SELECT session_user").fetchone() or ("",)
    event = Event.objects.newest()[0]
    assert event.changes == {"label": ["cat", "dog"]}
    assert (event.origin, event.actor_id, event.actor_name) == (Origin.SQL, None, user)
    assert event.note == f"as database user {user} through psql"
