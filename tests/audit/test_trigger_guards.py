"""No change by an attacker with the app's database user goes without an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.annotations.models import Decision, Undo
from reviewapp.audit.actions import Action, Origin
from reviewapp.audit.context import tracing
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.retrievers.models import Guidelines, LabelSet
from tests.decisions import decide
from tests.factories import make_annotation, make_result, make_retriever
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def execute(statement: str, *values: int | str | datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def numbers(statement: str, *values: int | str | datetime) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return tuple(cursor.fetchone() or ())


def copy_rows(table: str, **changed: str) -> None:
    """Insert each row again, with other values (SQL) in some columns."""
    with connection.cursor() as cursor:
        columns = [
            column.name for column in connection.introspection.get_table_description(cursor, table)
        ]
    columns.remove("id")
    values = [changed.get(column, column) for column in columns]
    execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table}")


def since(events: int) -> list[tuple[str, str, object]]:
    return list(Event.objects.order_by("id").values_list("action", "ref", "changes")[events:])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE retrievers_result SET snapshot = '{}'",
        "UPDATE retrievers_result SET digest = 'x'",
        "UPDATE retrievers_result SET document_id = 'x', rank = 1, score = 1",
        "DELETE FROM retrievers_result",
    ],
)
def test_it_never_changes_evidence(statement: str) -> None:
    result = make_result(snapshot={"title": "A blue logo"})
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        execute(statement)
    result.refresh_from_db()
    assert result.snapshot == {"title": "A blue logo"}


def test_it_dates_by_the_databases_clock_what_is_never_changed(alice: User, adam: User) -> None:
    annotation = make_annotation(result=make_result())
    decision = decide(annotation, alice, label="other")
    assert Decision.objects.get().created_at == decision.created_at
    annotation.refresh_from_db()
    assert annotation.decided_at == decision.created_at

    # The same rows again, as somebody would date them back.
    retriever = make_retriever()
    Guidelines.objects.create(retriever=retriever, version=1, text="Look.", created_by=adam)
    LabelSet.objects.create(retriever=retriever, version=1, labels=[], created_by=adam)
    old = f"'{LONG_AGO}'"
    copy_rows("annotations_decision", decision_id="gen_random_uuid()", created_at=old)
    copy_rows("retrievers_guidelines", version="version + 1", created_at=old)
    copy_rows("retrievers_labelset", version="version + 1", created_at=old)
    copy_rows("retrievers_result", document_id="document_id || 'x'", created_at=old)
    undo = "INSERT INTO annotations_undo (decision_id, actor_id, at) VALUES (%s, %s, %s)"
    execute(undo, decision.pk, alice.pk, LONG_AGO)

    start = timezone.now() - timedelta(minutes=1)
    for table in (
        "annotations_decision",
        "retrievers_guidelines",
        "retrievers_labelset",
        "retrievers_result",
    ):
        query = f"SELECT count(*), count(*) FILTER (WHERE created_at > %s) FROM {table}"
        assert numbers(query, start) == (2, 2), table
    assert Undo.objects.filter(at__gte=start).count() == 1


def test_it_tells_of_an_annotation_that_is_dated_back(alice: User) -> None:
    annotation = make_annotation()
    decision = decide(annotation, alice, label="other")
    events = Event.objects.count()
    execute("UPDATE annotations_annotation SET decided_at = %s", LONG_AGO)
    ((action, ref, changes),) = since(events)
    assert (action, ref) == (Action.ANNOTATION_REVISED, annotation.ref)
    assert isinstance(changes, dict)
    assert changes.keys() == {"decided_at"}
    assert datetime.fromisoformat(changes["decided_at"][0]) == decision.created_at


def test_it_tells_of_a_decision_that_is_only_inserted(alice: User) -> None:
    annotation = make_annotation()
    decide(annotation, alice, label="other")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    events = Event.objects.count()
    copy_rows("annotations_decision", decision_id="gen_random_uuid()")
    ((action, ref, changes),) = since(events)
    assert (action, ref) == (Action.DECISION_RECORDED, annotation.ref)
    assert changes == {
        "outcome": [None, "decided"],
        "label": [None, "other"],
        "reviewer_id": [None, alice.pk],
    }


def test_it_tells_that_a_password_changed_and_not_which(alice: User) -> None:
    events = Event.objects.count()
    alice.set_password(PASSWORD)
    alice.save()
    assert since(events) == [(Action.PASSWORD_CHANGED, "people/alice", {"password": [None, None]})]
    alice.refresh_from_db()
    stored = f"{Event.objects.newest()[0].__dict__}"
    assert alice.password not in stored
    assert PASSWORD not in stored
    assert timeline("people/alice")[0].sentence == "changed the password"

    execute("UPDATE accounts_user SET password = 'x', is_superuser = true WHERE id = %s", alice.pk)
    assert since(events)[1][2] == {"password": [None, None], "is_superuser": [None, True]}


def test_it_tells_once_of_a_password_set_by_a_link(alice: User, adam: User) -> None:
    link, _secret = invitations.new_password_link(alice, actor=adam)
    with tracing(Origin.WEB):
        invitations.set_password(link, password=PASSWORD)
    assert Event.objects.doing(Action.PASSWORD_CHANGED).count() == 1
    assert timeline("people/alice")[0].sentence == "set a new password by the link"


def test_it_tells_of_every_permission(alice: User) -> None:
    permission = Permission.objects.get(codename="change_user", content_type__app_label="accounts")
    lead = Group.objects.get(name=roles.LEAD)
    events = Event.objects.count()
    alice.user_permissions.add(permission)
    alice.user_permissions.clear()
    lead.permissions.add(permission)
    execute(
        "DELETE FROM auth_group_permissions WHERE group_id = %s AND permission_id = %s",
        lead.pk,
        permission.pk,
    )
    execute("UPDATE auth_group SET name = 'boss' WHERE id = %s", lead.pk)
    granted, taken = (
        {"permission": [None, "accounts.change_user"]},
        {"permission": ["accounts.change_user", None]},
    )
    assert since(events) == [
        (Action.PERMISSION_GIVEN, "people/alice", granted),
        (Action.PERMISSION_TAKEN, "people/alice", taken),
        (Action.PERMISSION_GIVEN, "roles/lead", granted),
        (Action.PERMISSION_TAKEN, "roles/lead", taken),
        (Action.GROUP_CHANGED, "roles/boss", {"name": ["lead", "boss"]}),
    ]
    assert timeline("roles/lead")[0].sentence == "removed the permission “accounts.change_user”"


@pytest.mark.parametrize(
    "table", ["accounts_user_groups", "accounts_user_user_permissions", "auth_group_permissions"]
)
def test_it_moves_no_role_or_permission_to_somebody_else(
    table: str, alice: User, bob: User
) -> None:
    bob.user_permissions.add(Permission.objects.first() or 0)
    column = "group_id" if table == "auth_group_permissions" else "user_id"
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        execute(f"UPDATE {table} SET {column} = {column}")


@pytest.mark.parametrize(
    ("statement", "action", "field"),
    [
        ("UPDATE accounts_link SET person_id = %s", Action.LINK_CHANGED, "person_id"),
        (
            'UPDATE mfa_authenticator SET data = \'{"secret": "mine"}\' WHERE user_id <> %s',
            "factor.changed",
            "secret",
        ),
        ("UPDATE mfa_authenticator SET user_id = %s", Action.FACTOR_CHANGED, "user_id"),
        (
            "UPDATE api_apitoken SET digest = repeat('a', 64) WHERE owner_id <> %s",
            Action.TOKEN_CHANGED,
            "digest",
        ),
    ],
)
def test_it_tells_of_a_way_in_that_is_taken_over(
    statement: str, action: str, field: str, alice: User, adam: User
) -> None:
    invitations.new_password_link(alice, actor=adam)
    execute(
        "INSERT INTO mfa_authenticator (type, data, user_id, created_at) VALUES ('totp', %s, %s, now())",
        '{"secret": "hers"}',
        alice.pk,
    )
    execute(
        "INSERT INTO api_apitoken (owner_id, name, prefix, digest, scope, created_at, expires_at)"
        " VALUES (%s, 'a', 'b', repeat('c', 64), 'read', now(), now())",
        alice.pk,
    )
    events = Event.objects.count()
    execute(statement, adam.pk)
    ((happened, _, changes),) = since(events)
    assert happened == action
    assert isinstance(changes, dict)
    assert changes.keys() == {field}
    assert "mine" not in f"{changes}"
    assert "aaa" not in f"{changes}"


def test_it_tells_of_labels_and_guidelines_that_are_not_the_newest(adam: User) -> None:
    retriever = make_retriever()
    for version, text in enumerate(("Look.", "Look twice."), start=1):
        Guidelines.objects.create(retriever=retriever, version=version, text=text, created_by=adam)
    first, second = Guidelines.objects.order_by("version")
    events = Event.objects.count()
    execute("UPDATE retrievers_retriever SET guidelines_id = %s", second.pk)
    assert since(events) == []
    execute("UPDATE retrievers_retriever SET guidelines_id = %s", first.pk)
    assert since(events) == [
        (Action.RETRIEVER_REBUILT, retriever.ref, {"guidelines_id": [second.pk, first.pk]}),
    ]
