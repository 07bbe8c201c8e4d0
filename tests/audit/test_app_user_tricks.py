"""Ways around the history with the rights of the app's database user: each leaves an event."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.annotations.batches import services as batches
from reviewapp.annotations.batches.fingerprints import fingerprint
from reviewapp.annotations.batches.services import BatchValues
from reviewapp.annotations.models import Annotation, Decision, RevertedDecision, Undo
from reviewapp.annotations.reverts import services as reverts
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from tests.app_user import app_session, refused
from tests.decisions import decide
from tests.factories import (
    make_annotation,
    make_bare_annotation,
    make_execution,
    make_export,
    make_result,
)

__all__ = ["app_session"]
pytestmark = [pytest.mark.django_db(transaction=True)]

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def events_after(count: int) -> list[tuple[str, str, dict[str, object]]]:
    """Return action, ref and changes of the events written since there were `count`."""
    rows = Event.objects.order_by("id")[count:]
    return [(event.action, event.ref, event.changes) for event in rows]


def copy_decision(session: psycopg.Connection, decision: Decision, **changed: str) -> int:
    """Insert a decision again as the app's user, some columns replaced (SQL); return its key."""
    names = [field.attname for field in Decision._meta.concrete_fields]
    values = {name: name for name in names} | {"decision_id": "gen_random_uuid()"} | changed
    ((key,),) = session.execute(
        f"INSERT INTO annotations_decision ({', '.join(values)})"
        f" SELECT {', '.join(values.values())} FROM annotations_decision WHERE id = {decision.pk} RETURNING id"
    )
    return int(key)


def test_it_tells_that_a_person_takes_the_place_of_another(
    app_session: psycopg.Connection, alice: User, adam: User
) -> None:
    before = Event.objects.count()
    with app_session.transaction():
        app_session.execute("UPDATE accounts_user SET id = -1 WHERE username = 'adam'")
        app_session.execute("UPDATE accounts_user SET id = %s WHERE username = 'alice'", [adam.pk])
        app_session.execute("UPDATE accounts_user SET id = %s WHERE username = 'adam'", [alice.pk])

    assert roles.role_of(User.objects.get(username="alice")) == roles.ADMIN
    changes = [change for _, ref, change in events_after(before) if ref == "people/alice"]
    assert changes == [{"id": [alice.pk, adam.pk]}]


def test_it_tells_that_decisions_move_to_another_annotation(
    app_session: psycopg.Connection, alice: User
) -> None:
    one, other = make_bare_annotation(), make_annotation(result=make_result())
    decide(one, alice, label="dog")
    before = Event.objects.count()
    with app_session.transaction():
        app_session.execute(
            "UPDATE annotations_annotation SET id = -id WHERE id IN (%s, %s)", [one.pk, other.pk]
        )
        app_session.execute(
            "UPDATE annotations_annotation SET id = CASE id WHEN %s THEN %s ELSE %s END WHERE id < 0",
            [-one.pk, other.pk, one.pk],
        )

    assert Decision.objects.get().annotation.ref == other.ref
    assert {ref for _, ref, change in events_after(before) if "id" in change} == {
        one.ref,
        other.ref,
    }


@pytest.mark.parametrize("number", [-1, 0])
def test_it_tells_of_a_decision_numbered_before_the_standing_one(
    app_session: psycopg.Connection, alice: User, number: int
) -> None:
    annotation = make_bare_annotation()
    decision = decide(annotation, alice, label="dog")
    before = Event.objects.count()
    copy_decision(app_session, decision, id=str(number))
    assert [(action, ref) for action, ref, _ in events_after(before)] == [
        (Action.DECISION_RECORDED, annotation.ref)
    ]


def test_it_tells_of_an_undo_that_nothing_follows(
    app_session: psycopg.Connection, alice: User
) -> None:
    annotation = make_bare_annotation()
    decision = decide(annotation, alice, label="dog")
    before = Event.objects.count()
    app_session.execute(
        "INSERT INTO annotations_undo (decision_id, actor_id, at) VALUES (%s, %s, now())",
        [decision.pk, alice.pk],
    )
    assert Undo.objects.count() == 1
    assert [ref for _, ref, _ in events_after(before)] == [annotation.ref]


@pytest.mark.parametrize("digits", ["-15", "0"])
def test_it_writes_numbers_whole_whatever_the_session_sets(
    app_session: psycopg.Connection, digits: str
) -> None:
    make_bare_annotation()
    app_session.execute("UPDATE annotations_annotation SET confidence = 0.3")
    app_session.execute(f"SET extra_float_digits = {digits}")
    app_session.execute("UPDATE annotations_annotation SET confidence = 0.30000000000000004")
    assert Event.objects.newest()[0].changes == {"confidence": [0.3, 0.1 + 0.2]}


def test_it_tells_of_a_decision_that_is_dated_back_at_once(
    app_session: psycopg.Connection, alice: User
) -> None:
    annotation = make_bare_annotation()
    decision = decide(annotation, alice, label="dog")
    before = Event.objects.count()
    with app_session.transaction():
        newest = "nextval('annotations_decision_id_seq')"
        other = copy_decision(app_session, decision, id=newest)
        app_session.execute(
            "UPDATE annotations_annotation SET decision_id = %s, decided_at = %s", [other, LONG_AGO]
        )
    ((_, ref, changes),) = events_after(before)
    assert ref == annotation.ref
    assert datetime.fromisoformat(str(changes["decided_at"][1])) == LONG_AGO  # type: ignore[index]


def test_it_tells_of_other_evidence(app_session: psycopg.Connection) -> None:
    execution = make_execution(execution_id="exec_1")
    annotation = make_annotation(result=make_result(execution=execution), execution_id="exec_1")
    other = make_result(document_id="other")
    before = Event.objects.count()
    app_session.execute(
        "UPDATE annotations_annotation SET result_id = %s WHERE id = %s", [other.pk, annotation.pk]
    )
    app_session.execute(
        "UPDATE annotations_annotation SET execution_id = 'exec_2' WHERE id = %s", [annotation.pk]
    )
    assert [changes for _, _, changes in events_after(before)] == [
        {"result_id": [annotation.result_id, other.pk]},
        {"execution_id": ["exec_1", "exec_2"]},
    ]


def test_it_tells_of_forged_evidence_where_there_was_none(app_session: psycopg.Connection) -> None:
    annotation = make_bare_annotation()
    other = make_result(document_id="other")
    before = Event.objects.count()
    app_session.execute(
        "UPDATE annotations_annotation SET result_id = %s WHERE id = %s", [other.pk, annotation.pk]
    )
    assert [changes for _, _, changes in events_after(before)] == [{"result_id": [None, other.pk]}]


def test_it_adds_no_sign_in_provider_of_its_own(app_session: psycopg.Connection) -> None:
    refused(
        app_session,
        "INSERT INTO socialaccount_socialapp (provider, provider_id, name, client_id, secret, key, settings)"
        " VALUES ('openid_connect', 'sso', 'x', 'x', 'x', '', '{}')",
    )


def test_it_tells_of_ways_in_that_others_manage(
    app_session: psycopg.Connection, alice: User
) -> None:
    before = Event.objects.count()
    for statement in (
        "INSERT INTO socialaccount_socialaccount (user_id, provider, uid, last_login, date_joined, extra_data)"
        " VALUES (%s, 'sso', 'mallory', now(), now(), '{}')",
        "UPDATE socialaccount_socialaccount SET uid = 'mallory-2' WHERE user_id = %s",
        "DELETE FROM socialaccount_socialaccount WHERE user_id = %s",
        'INSERT INTO account_emailaddress (user_id, email, verified, "primary")'
        " VALUES (%s, 'm@example.com', true, true)",
        "UPDATE account_emailaddress SET email = 'm2@example.com' WHERE user_id = %s",
        "DELETE FROM account_emailaddress WHERE user_id = %s",
    ):
        app_session.execute(statement, [alice.pk])
    assert [(ref, changes) for _, ref, changes in events_after(before)] == [
        ("people/alice", {"provider": [None, "sso"], "uid": [None, "mallory"]}),
        ("people/alice", {"uid": ["mallory", "mallory-2"]}),
        ("people/alice", {"provider": ["sso", None], "uid": ["mallory-2", None]}),
        (
            "people/alice",
            {"email": [None, "m@example.com"], "verified": [None, True], "primary": [None, True]},
        ),
        ("people/alice", {"email": ["m@example.com", "m2@example.com"]}),
        (
            "people/alice",
            {"email": ["m2@example.com", None], "verified": [True, None], "primary": [True, None]},
        ),
    ]


def test_it_tells_who_is_said_to_have_done_it_when_that_changes(
    app_session: psycopg.Connection, alice: User
) -> None:
    annotation = make_bare_annotation()
    decide(annotation, alice, label="dog")
    before = Event.objects.count()
    app_session.execute("UPDATE accounts_user SET pseudonym = 'another'")
    app_session.execute("UPDATE outbox_change SET actor_pseudonym = 'another'")
    assert [list(changes) for _, _, changes in events_after(before)] == [
        ["pseudonym"],
        ["actor_pseudonym"],
    ]
    assert Annotation.objects.count() == 1


@pytest.mark.parametrize(
    "forgery",
    [
        "options = options || '{\"with_snapshot\": false}'",
        "size = 1",
        "finished_at = '2001-01-01'",
        "query = 'q=other'",
    ],
)
def test_it_tells_of_a_forged_manifest(app_session: psycopg.Connection, forgery: str) -> None:
    export = make_export(options={"zone": "UTC", "grades": {}, "with_snapshot": True})
    before = Event.objects.count()
    app_session.execute(f"UPDATE annotations_export SET {forgery}")
    assert [(ref, list(changes)) for _, ref, changes in events_after(before)] == [
        (f"exports/{export.pk}", [forgery.split(" = ", maxsplit=1)[0]])
    ]


@pytest.mark.parametrize(
    "forgery",
    [
        "state = 'failed'",
        "effect = 'undone'",
        "problem = 'no right'",
        "done_at = '2001-01-01'",
        "answered_at = '2001-01-01'",
        "replacement_id = decision_id",
    ],
)
def test_it_tells_of_a_forged_result_of_a_revert(
    app_session: psycopg.Connection, alice: User, adam: User, forgery: str
) -> None:
    decision = decide(make_bare_annotation(), alice, label="dog")
    revert = reverts.start([decision.pk], reason="wrong", query="", actor=adam)
    reverts.run(revert)
    assert RevertedDecision.objects.get().done_at is not None
    before = Event.objects.count()
    app_session.execute(f"UPDATE annotations_reverteddecision SET {forgery}")
    assert [(ref, list(changes)) for _, ref, changes in events_after(before)] == [
        (f"reverts/{revert.pk}", [forgery.split(" = ", maxsplit=1)[0]])
    ]


@pytest.mark.parametrize(
    ("forged", "action"),
    [
        ("'done', '', ''", Action.REVERT_CHANGED),
        ("'skipped', 'undone', ''", Action.REVERT_CHANGED),
        ("'waiting', '', 'I agree'", Action.REVERT_ANSWERED),
    ],
)
def test_it_tells_of_a_revert_that_never_was(
    app_session: psycopg.Connection, alice: User, adam: User, forged: str, action: Action
) -> None:
    decision = decide(make_bare_annotation(), alice, label="dog")
    revert = reverts.start([], reason="wrong", query="", actor=adam)
    before = Event.objects.count()
    app_session.execute(
        "INSERT INTO annotations_reverteddecision"
        " (revert_id, decision_id, state, effect, answer, problem)"
        f" VALUES (%s, %s, {forged}, '')",
        [revert.pk, decision.pk],
    )
    assert [(action, ref) for action, ref, _ in events_after(before)] == [
        (action, f"reverts/{revert.pk}")
    ]


@pytest.mark.parametrize(
    "forgery",
    ["state = 'failed'", "effect = 'open'", "problem = 'x'", "shown = 'x'", "done_at = NULL"],
)
def test_it_tells_of_a_forged_result_of_a_batch(
    app_session: psycopg.Connection, adam: User, forgery: str
) -> None:
    annotation = make_bare_annotation()
    entries = {annotation.pk: fingerprint(annotation)}
    batch = batches.start(entries, BatchValues(label="dog"), query="", actor=adam)
    batches.run(batch)
    assert batch.items.get().state == "done"
    before = Event.objects.count()
    app_session.execute(f"UPDATE annotations_batchitem SET {forgery}")
    assert events_after(before)
    for action, ref, changes in events_after(before):
        assert (action, ref) == (Action.BATCH_CHANGED, f"batches/{batch.pk}")
        assert list(changes) == [forgery.split(" = ", maxsplit=1)[0]]
