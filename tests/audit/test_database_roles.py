"""The app as a database user that owns nothing, made by the script in docs/: it works, and cannot lift a guard."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Change
from tests.decisions import decide
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).parents[2] / "docs" / "database-roles.sql"


@pytest.fixture
def as_the_app(alice: User) -> None:
    """Be that user until the test's transaction is rolled back; a script that is run again changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for _ in range(2):
            cursor.execute(SCRIPT.read_text())
        cursor.execute("SET LOCAL ROLE reviewapp_app")


def test_it_can_do_its_work(as_the_app: None, alice: User, client: Client) -> None:
    annotation = make_annotation()
    decide(annotation, alice, label="other")
    assert Change.objects.get().fields == {"label": "other"}
    assert Event.objects.filter(actor_name="alice", ref=annotation.ref).exists()
    client.force_login(alice)
    assert client.get(f"/annotations/{annotation.pk}").status_code == 200


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE annotations_annotation DISABLE TRIGGER USER",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER pgtrigger_append_only_7d947 ON audit_event",
        "DROP TABLE audit_event",
        "TRUNCATE annotations_decision CASCADE",
        "UPDATE audit_event SET note = 'x'",
        "DELETE FROM audit_event",
        "CREATE TABLE public.audit_event_2 (id int)",
        "CREATE ROLE another SUPERUSER",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', 'x', now())",
    ],
)
def test_it_cannot_lift_a_guard(as_the_app: None, sql: str) -> None:
    make_annotation()
    refused = pytest.raises(DatabaseError, match=r"permission denied|must be owner")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
