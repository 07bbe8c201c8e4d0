"""The database refuses to change what happened."""

from __future__ import annotations

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from reviewapp.audit.models import Event
from tests.factories import make_bare_annotation

pytestmark = pytest.mark.django_db

TRACKED = [
    "account_emailaddress",
    "accounts_link",
    "accounts_user",
    "accounts_user_groups",
    "accounts_user_user_permissions",
    "annotations_annotation",
    "annotations_batch",
    "annotations_batchitem",
    "annotations_decision",
    "annotations_export",
    "annotations_revert",
    "annotations_reverteddecision",
    "annotations_setaside",
    "annotations_undo",
    "api_apitoken",
    "audit_event",
    "auth_group",
    "auth_group_permissions",
    "mfa_authenticator",
    "outbox_change",
    "outbox_pause",
    "retrievers_execution",
    "retrievers_guidelines",
    "retrievers_labelset",
    "retrievers_result",
    "retrievers_retriever",
    "socialaccount_socialaccount",
]


def refused(sql: str, match: str) -> None:
    with (
        pytest.raises(DatabaseError, match=match),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


@pytest.mark.parametrize("sql", ["UPDATE audit_event SET note = 'x'", "DELETE FROM audit_event"])
def test_it_refuses_to_change_an_event(sql: str) -> None:
    make_bare_annotation()
    refused(sql, "Cannot update or delete rows")
    assert Event.objects.get().note != "x"


@pytest.mark.parametrize("table", TRACKED)
def test_it_refuses_to_truncate_anything_that_has_a_history(table: str) -> None:
    refused(f"TRUNCATE {table} CASCADE", "cannot be truncated")


@pytest.mark.parametrize("sql", ["UPDATE audit_event SET note = 'x'", "DELETE FROM audit_event"])
def test_it_cannot_be_talked_into_it_by_a_setting(sql: str) -> None:
    make_bare_annotation()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_event'::regclass")
        every = ",".join(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{every}}}"])
    refused(sql, "Cannot update or delete rows")


def test_it_goes_on_writing_when_triggers_are_told_to_be_ignored() -> None:
    names = [
        f"{model._meta.db_table}:{trigger.get_pgid(model)}"
        for model, trigger in pgtrigger.registered()
    ]
    with connection.cursor() as cursor:
        # As pgtrigger.ignore() does, which cannot work where the server binds the parameters.
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{','.join(names)}}}"]
        )
    make_bare_annotation()
    assert Event.objects.count() == 1


def test_it_tracks_every_table_of_people_and_promises() -> None:
    tables = {
        model._meta.db_table
        for model, trigger in pgtrigger.registered()
        if trigger.name in {"tracked", "append_only", "never_changed"}
    }
    guarded = {
        model._meta.db_table
        for model, trigger in pgtrigger.registered()
        if trigger.name == "never_truncated"
    }
    assert tables == guarded
    assert sorted(tables) == TRACKED
