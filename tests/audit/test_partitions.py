"""The history partitioned by the script in docs/: as complete, guarded and fast as before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.audit.models import Event
from reviewapp.postgres.cluster import APP_USER
from tests.app_user import grant_rights
from tests.factories import make_bare_annotation

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).parents[2] / "docs" / "partition-history.sql"


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def before() -> list[int]:
    """Partition a history that has something in it, and return what."""
    make_bare_annotation()
    there = list(Event.objects.order_by("id").values_list("id", flat=True))
    # A table whose foreign keys are still to be checked cannot be altered.
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run(SCRIPT.read_text())
    return there


def happen(at: str, *, note: str = "") -> None:
    run(
        "INSERT INTO audit_event (at, actor_name, action, ref, retriever_id, origin, request_id, changes, note)"
        f" VALUES ({at}, 'x', 'annotation.revised', 'a/b', '', 'sql', '', '{{}}', '{note}')"
    )


def holding(ids: list[int]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text, count(*) FROM audit_event WHERE id = ANY(%s) GROUP BY 1",
            [ids],
        )
        return dict(cursor.fetchall())


def test_it_keeps_what_happened_and_goes_on_counting(before: list[int]) -> None:
    run("UPDATE annotations_annotation SET label = 'other'")
    ids = list(Event.objects.order_by("id").values_list("id", flat=True))
    assert ids == [*before, before[-1] + 1]
    assert holding(ids) == {"audit_event_first": len(ids)}
    assert Event.objects.mentioning("other").count() == 1


def test_it_has_a_place_for_every_instant(before: list[int]) -> None:
    for days, expected in ((40, r"audit_event_\d{4}_\d{2}"), (4000, "audit_event_rest")):
        happen(f"now() + interval '{days} days'", note=expected)
        (event,) = Event.objects.filter(note=expected)
        assert event.at > timezone.now() + timedelta(days=days - 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tableoid::regclass::text ~ ('^' || note || '$') FROM audit_event WHERE id = %s",
                [event.pk],
            )
            assert cursor.fetchone() == (True,)


@pytest.mark.parametrize("table", ["audit_event", "audit_event_first", "audit_event_rest"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET note = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_it_refuses_to_change_an_event_through_any_table(
    before: list[int], table: str, sql: str
) -> None:
    happen("'2200-01-01'")
    with (
        pytest.raises(DatabaseError, match=r"Cannot update or delete|cannot be truncated"),
        transaction.atomic(),
    ):
        run(sql.format(table))
    assert Event.objects.filter(id__in=before).count() == len(before)


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE audit_event DETACH PARTITION audit_event_first",
        "DROP TABLE audit_event_first",
        "DROP TABLE audit_event_rest",
        "CREATE TABLE audit_event_old PARTITION OF audit_event FOR VALUES FROM ('2300-01-01') TO ('2300-02-01')",
        "ALTER TABLE audit_event ATTACH PARTITION outbox_pause DEFAULT",
        "ALTER TABLE audit_event_first DISABLE TRIGGER ALL",
        "ALTER TABLE audit_event_first NO INHERIT audit_event",
        "INSERT INTO audit_event_first (at) VALUES (now())",
        "INSERT INTO audit_event_rest (at) VALUES (now())",
        "UPDATE audit_event_first SET note = 'x'",
        "DELETE FROM audit_event_rest",
        "TRUNCATE audit_event_first",
        "COPY audit_event_first FROM STDIN",
        "SELECT nextval('audit_event_numbers')",
        "SELECT add_history_partitions()",
        "SELECT guard_history_partition('audit_event_first')",
    ],
)
def test_the_apps_own_user_cannot_touch_a_partition(before: list[int], sql: str) -> None:
    grant_rights()
    run(f"SET LOCAL ROLE {APP_USER}")
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
        transaction.atomic(),
    ):
        run(sql)


def test_the_apps_own_user_goes_on_writing_history(before: list[int]) -> None:
    grant_rights()
    run(f"SET LOCAL ROLE {APP_USER}")
    run("UPDATE annotations_annotation SET label = 'other'")
    assert Event.objects.newest()[0].changes == {"label": ["cat", "other"]}


def test_it_shows_the_same_page(before: list[int], client: Client, lena: User) -> None:
    client.force_login(lena)
    assert client.get("/history").status_code == 200


def test_it_may_be_asked_for_more_partitions_again(before: list[int]) -> None:
    run("SELECT add_history_partitions(5)")
    run("SELECT add_history_partitions(5)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_event'::regclass")
        assert cursor.fetchone() == (7,)


def test_it_needs_no_migration(before: list[int]) -> None:
    call_command("migrate", check=True, verbosity=0)
    call_command("pgtrigger", "ls")
