"""Whatever somebody sets as the acting person, the write succeeds and the history stays readable."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewapp.audit.actions import Origin
from reviewapp.audit.models import Event
from tests.factories import make_bare_annotation
from tests.proofs import examples

pytestmark = pytest.mark.django_db

NONSENSE = [
    "nonsense",
    "{",
    "[]",
    "null",
    '"web"',
    "42",
    "{}",
    '{"origin": "devil"}',
    '{"origin": "web", "actor_id": "abc"}',
    '{"origin": "web", "actor_id": 99999999999999999999}',
    '{"origin": "web", "actor_id": 1.5}',
    '{"origin": "web", "actor_name": "a\\u0000b"}',
    '{"origin": ["web"]}',
]


def write_as(setting: str) -> Event:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('reviewapp.acting', %s, true)", [setting])
    make_bare_annotation()
    return Event.objects.newest()[0]


@pytest.mark.parametrize("setting", NONSENSE)
def test_it_passes_over_nonsense_and_says_so(setting: str) -> None:
    event = write_as(setting)
    assert (event.origin, event.actor_id) == (Origin.SQL, None)
    assert event.note.endswith("with an unreadable reviewapp.acting")


def test_it_cuts_what_is_too_long_for_its_column() -> None:
    event = write_as(
        json.dumps({"origin": "web", "actor_name": "n" * 500, "request_id": "r" * 500})
    )
    assert (len(event.actor_name), len(event.request_id)) == (150, 64)


@given(
    setting=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        lambda inner: st.dictionaries(
            st.sampled_from(["origin", "actor_id", "actor_name", "request_id"]), inner
        ),
    )
)
@settings(
    max_examples=examples(30, 200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_it_writes_whatever_is_set(setting: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('reviewapp.acting', %s, true)", [json.dumps(setting)])
        cursor.execute("INSERT INTO outbox_pause (id, reason, since) VALUES (1, 'x', now())")
        cursor.execute("DELETE FROM outbox_pause")
    assert {event.origin for event in Event.objects.newest()[:2]} <= set(Origin)
