"""The app's database user cannot change a row without an event, nor change an event."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app as jobs
from procrastinate.contrib.django.models import ProcrastinateJob

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Action, Origin
from reviewapp.audit.models import Event
from tests.app_user import app_session, as_app_user, grant_rights, refused
from tests.decisions import post_decision
from tests.factories import make_annotation, make_bare_annotation

__all__ = ["app_session"]
pytestmark = [pytest.mark.django_db(transaction=True)]

# Every table that a trigger's function names.
MENTIONED = [
    "audit_event",
    "accounts_user",
    "auth_group",
    "annotations_annotation",
    "annotations_counteddecision",
    "retrievers_retriever",
]
# Every function that it calls, as a session would make its own.
CALLED = [
    "jsonb_build_array(anyelement, anyelement) RETURNS jsonb LANGUAGE sql AS $$ SELECT '[]'::jsonb $$",
    "jsonb_build_object(text, jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$",
    "to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS $$ SELECT 'null'::jsonb $$",
    "clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '2001-01-01' $$",
    'current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT \'{"origin": "web"}\' $$',
    'current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT \'{"origin": "web"}\' $$',
    "left(text, int) RETURNS text LANGUAGE sql AS $$ SELECT 'mallory' $$",
    "pgtrigger_tracked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "differs(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
]
TEMPORARY = [
    *(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL)" for table in MENTIONED),
    *(f"CREATE TEMPORARY VIEW {table} AS SELECT * FROM public.{table}" for table in MENTIONED),
    *(f"SELECT * INTO TEMPORARY {table} FROM public.{table}" for table in MENTIONED),
    *(f"CREATE FUNCTION pg_temp.{function}" for function in CALLED),
    "CREATE TEMPORARY SEQUENCE audit_event_id_seq",
    "CREATE DOMAIN pg_temp.jsonb AS text",
]
OF_ITS_OWN = [
    "CREATE TABLE public.audit_event_2 (id int)",
    "CREATE TABLE public.more () INHERITS (public.annotations_annotation)",
    "CREATE SCHEMA mine",
    "CREATE VIEW public.mine AS SELECT 1",
    "CREATE SEQUENCE public.mine",
    "CREATE TYPE public.mine AS ENUM ('a')",
    "CREATE DOMAIN public.mine AS text",
    "CREATE OPERATOR public.|| (FUNCTION = pg_catalog.jsonb_concat, LEFTARG = jsonb, RIGHTARG = jsonb)",
    "CREATE CAST (text AS jsonb) WITH INOUT AS IMPLICIT",
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION public.pgtrigger_append_only_7d947()",
    "CREATE PUBLICATION mine FOR ALL TABLES",
    "CREATE ROLE another SUPERUSER",
    "CREATE DATABASE mine",
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'x')",
    *(f"CREATE FUNCTION public.{function}" for function in CALLED),
]
TRIGGERS = [
    "SET session_replication_role = replica",
    "ALTER TABLE annotations_annotation DISABLE TRIGGER USER",
    "ALTER TABLE annotations_annotation DISABLE TRIGGER ALL",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "ALTER TABLE audit_event ENABLE REPLICA TRIGGER pgtrigger_append_only_7d947",
    "ALTER TRIGGER pgtrigger_append_only_7d947 ON audit_event RENAME TO other",
    "DROP TRIGGER pgtrigger_append_only_7d947 ON audit_event",
    "CREATE TRIGGER before_all BEFORE UPDATE ON annotations_annotation"
    " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE nothing AS ON INSERT TO audit_event DO INSTEAD NOTHING",
    "CREATE RULE nothing AS ON UPDATE TO annotations_annotation DO INSTEAD NOTHING",
    "ALTER FUNCTION public.pgtrigger_append_only_7d947() SECURITY INVOKER",
    "ALTER FUNCTION public.pgtrigger_append_only_7d947() RESET search_path",
    "DROP FUNCTION public.pgtrigger_append_only_7d947() CASCADE",
    "ALTER TABLE audit_event RENAME TO audit_event_old",
    "ALTER TABLE audit_event SET SCHEMA information_schema",
    "ALTER TABLE audit_event OWNER TO reviewapp_app",
    "ALTER TABLE audit_event INHERIT annotations_annotation",
    "ALTER TABLE audit_event ADD CONSTRAINT never CHECK (false) NOT VALID",
    "ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY hidden ON audit_event USING (false)",
    "CREATE INDEX mine ON audit_event (note)",
    "DROP TABLE audit_event",
    "ALTER ROLE reviewapp_app SUPERUSER",
    "ALTER SYSTEM SET session_replication_role = replica",
    "ALTER ROLE reviewapp_app SET session_replication_role = replica",
    "DO $$ BEGIN LOCK TABLE audit_event IN EXCLUSIVE MODE; END $$",
]
EVENTS = [
    "INSERT INTO audit_event (at, actor_name, action, ref, retriever_id, origin, request_id, changes, note)"
    " VALUES ('2001-01-01', 'alice', 'annotation.confirmed', 'annotations/1', '', 'web', '', '{}', '')",
    "UPDATE audit_event SET note = 'x'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "COPY audit_event FROM STDIN",
    "MERGE INTO audit_event e USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE",
    "SELECT * FROM audit_event FOR UPDATE",
    "SELECT nextval('audit_event_id_seq')",
    "SELECT setval('audit_event_id_seq', 1)",
    "ALTER SEQUENCE audit_event_id_seq RESTART",
    "COPY audit_event TO PROGRAM 'true'",
]
OTHERS = [
    "TRUNCATE annotations_decision CASCADE",
    "TRUNCATE annotations_annotation CASCADE",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', 'x', now())",
    "UPDATE django_content_type SET model = 'x'",
    "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, 1)",
    "DELETE FROM auth_group_permissions",
    "UPDATE auth_group SET name = 'admin' WHERE name = 'reviewer'",
    "UPDATE auth_permission SET codename = 'x'",
]


def answer(session: psycopg.Connection, statement: str) -> str:
    try:
        session.execute(statement)
    except psycopg.Error as error:
        return str(error)
    return "done"


@pytest.mark.parametrize(
    "statements",
    [TEMPORARY, OF_ITS_OWN, TRIGGERS, EVENTS, OTHERS],
    ids=[
        "temporary objects",
        "objects of its own",
        "the triggers",
        "the events",
        "what only migrate writes",
    ],
)
def test_it_is_refused(app_session: psycopg.Connection, statements: list[str]) -> None:
    make_bare_annotation()
    events = Event.objects.count()
    answers = {statement: answer(app_session, statement) for statement in statements}
    assert {
        statement: message
        for statement, message in answers.items()
        if not message.startswith(("permission denied", "must be"))
    } == {}
    assert Event.objects.count() == events
    with app_session.transaction():
        app_session.execute("UPDATE annotations_annotation SET label = 'dog'")
    assert Event.objects.count() == events + 1


def test_it_cannot_give_itself_rights(app_session: psycopg.Connection) -> None:
    # PostgreSQL answers with a warning.
    app_session.execute(
        "GRANT INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER ON audit_event TO reviewapp_app, PUBLIC"
    )
    rows = app_session.execute(
        "SELECT has_table_privilege('public.audit_event', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
    )
    assert rows.fetchall() == [(False,)]


@pytest.mark.parametrize("role", ["SET ROLE", "SET SESSION AUTHORIZATION"])
def test_it_is_nobody_else(app_session: psycopg.Connection, role: str) -> None:
    ((owner,),) = app_session.execute(
        "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'audit_event'"
    )
    for name in (owner, "pg_write_all_data", "pg_database_owner", "pg_execute_server_program"):
        refused(app_session, f"{role} {name}")


def test_it_cannot_call_what_only_triggers_call(app_session: psycopg.Connection) -> None:
    names = app_session.execute(
        "SELECT oid::regprocedure::text FROM pg_proc"
        " WHERE prorettype = 'trigger'::regtype AND pronamespace = 'public'::regnamespace AND proname LIKE 'pgtrigger%'"
    ).fetchall()
    assert len(names) > 20
    for (name,) in names:
        refused(app_session, f"SELECT public.{name}")


def test_every_function_of_a_trigger_is_the_owners(app_session: psycopg.Connection) -> None:
    rows = app_session.execute(
        "SELECT proname, prosecdef, proconfig, proowner = relowner FROM pg_trigger"
        " JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE starts_with(tgname, 'pgtrigger_')"
    ).fetchall()
    assert len(rows) > 20
    expected = ["search_path=pg_catalog, public, pg_temp", "extra_float_digits=1"]
    for name, is_definer, settings, is_owners in rows:
        assert (is_definer, settings, is_owners) == (True, expected, True), name


@pytest.fixture
def careless(app_session: psycopg.Connection) -> psycopg.Connection:
    """Grant the app's user the right to make objects; running the script again revokes it."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"GRANT CREATE, TEMPORARY ON DATABASE {name} TO reviewapp_app")
    return app_session


@pytest.fixture
def nothing_stays() -> object:
    """Nothing that the user made is left, and the script says that all is well."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP OWNED BY reviewapp_app")
    grant_rights()


def test_no_object_of_its_own_takes_the_place_of_a_real_one(
    nothing_stays: object, careless: psycopg.Connection, alice: User
) -> None:
    annotation = make_bare_annotation()
    events = Event.objects.count()
    before = timezone.now() - timedelta(minutes=1)
    for table in MENTIONED:
        careless.execute(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL)")
    careless.execute("INSERT INTO pg_temp.accounts_user SELECT * FROM public.accounts_user")
    careless.execute("UPDATE pg_temp.accounts_user SET username = 'mallory'")
    careless.execute("CREATE SCHEMA mine")
    for function in CALLED:
        careless.execute(f"CREATE FUNCTION mine.{function}")
        careless.execute(f"CREATE FUNCTION pg_temp.{function}")
    careless.execute(
        "CREATE OPERATOR mine.<> (FUNCTION = mine.differs, LEFTARG = text, RIGHTARG = text)"
    )
    for path in (
        "pg_temp, mine, pg_catalog, public",
        "mine, pg_temp, pg_catalog, public",
        "pg_temp",
        "''",
    ):
        careless.execute(f"SET search_path = {path}")
        with careless.transaction():
            careless.execute("UPDATE public.annotations_annotation SET label = label || 'x'")
            careless.execute("UPDATE public.accounts_user SET is_superuser = NOT is_superuser")
            careless.execute("DELETE FROM public.accounts_user_groups")
            careless.execute(
                "INSERT INTO public.accounts_user_groups (user_id, group_id)"
                " SELECT %s, id FROM public.auth_group WHERE name = 'lead'",
                [alice.pk],
            )
    written = Event.objects.order_by("id")[events:]
    assert [(event.action, event.ref) for event in written] == [
        (Action.ANNOTATION_RELABELLED, annotation.ref),
        (Action.PERSON_CHANGED, "people/alice"),
        (Action.ROLE_TAKEN, "people/alice"),
        (Action.ROLE_GIVEN, "people/alice"),
    ] * 4
    assert {(event.actor_name, event.origin) for event in written} == {
        ("reviewapp_app", Origin.SQL)
    }
    assert all(event.at > before and event.changes for event in written)


@pytest.mark.parametrize(
    ("careless_grant", "complaint"),
    [
        ("GRANT pg_write_all_data TO reviewapp_app", "is a member of pg_write_all_data"),
        ("ALTER ROLE reviewapp_app CREATEROLE", "make roles"),
        ("ALTER ROLE reviewapp_app SUPERUSER", "is a superuser"),
        ("CREATE SCHEMA odd AUTHORIZATION reviewapp_app", "owns the schema odd"),
        (
            "CREATE SCHEMA odd; GRANT CREATE ON SCHEMA odd TO PUBLIC",
            "may make objects in the schema odd",
        ),
        ("ALTER TABLE accounts_link OWNER TO reviewapp_app", "owns accounts_link"),
    ],
)
@pytest.mark.django_db
def test_the_script_refuses_a_user_with_other_rights(careless_grant: str, complaint: str) -> None:
    # On a server that never had the user, this makes it.
    grant_rights()
    with connection.cursor() as cursor, pytest.raises(Exception, match=complaint):
        cursor.execute(careless_grant)
        grant_rights()


def test_every_way_to_write_leaves_an_event(app_session: psycopg.Connection, alice: User) -> None:
    row = make_bare_annotation()
    ways = [
        "UPDATE annotations_annotation SET label = 'a'",
        "UPDATE ONLY annotations_annotation SET label = 'b'",
        "WITH changed AS (UPDATE annotations_annotation SET label = 'c' RETURNING 1) SELECT * FROM changed",
        "MERGE INTO annotations_annotation a USING (SELECT 1) one ON true WHEN MATCHED THEN UPDATE SET label = 'e'",
        "SET pgtrigger.ignore = '{pgtrigger_tracked}'; UPDATE annotations_annotation SET label = 'f'",
        "SET reviewapp.acting = '[[['; UPDATE annotations_annotation SET label = 'g'",
        "SET check_function_bodies = off; SET row_security = off; UPDATE annotations_annotation SET label = 'i'",
        "DO $$ BEGIN UPDATE annotations_annotation SET label = 'j'; END $$",
        "PREPARE change AS UPDATE annotations_annotation SET label = 'k'; EXECUTE change",
    ]
    for way in ways:
        before = Event.objects.count()
        app_session.execute(way)
        assert Event.objects.count() == before + 1, way

    before = Event.objects.count()
    with app_session.cursor().copy("COPY outbox_pause (id, reason, since) FROM STDIN") as copy:
        copy.write_row((1, "by COPY", timezone.now()))
    app_session.execute("DELETE FROM outbox_pause")
    assert Event.objects.count() == before + 2
    row.refresh_from_db()
    assert row.label == "k"


def test_what_it_can_forge_is_who_it_says_it_is(
    app_session: psycopg.Connection, alice: User
) -> None:
    make_bare_annotation()
    acting = {
        "actor_id": alice.pk,
        "actor_name": "alice",
        "origin": "web",
        "request_id": "r" * 100,
        "note": "n" * 100_000,
        "at": "2001-01-01",
        "action": "annotation.confirmed",
        "ref": "annotations/other",
        "changes": {"label": ["a", "b"]},
    }
    before = timezone.now() - timedelta(minutes=1)
    with app_session.transaction():
        app_session.execute("SELECT set_config('reviewapp.acting', %s, true)", [json.dumps(acting)])
        app_session.execute("UPDATE annotations_annotation SET label = 'dog'")
    event = Event.objects.newest()[0]
    assert (event.actor_id, event.actor_name, event.origin) == (alice.pk, "alice", Origin.WEB)
    assert (len(event.request_id), len(event.note)) == (64, 20_000)
    assert event.at > before
    assert (event.action, event.ref) == (Action.ANNOTATION_RELABELLED, Annotation.objects.get().ref)
    assert event.changes == {"label": ["cat", "dog"]}


@pytest.mark.slow
@pytest.mark.long
def test_a_change_too_large_to_be_recorded_is_not_made(app_session: psycopg.Connection) -> None:
    app_session.execute(
        "INSERT INTO outbox_pause (id, reason, since) VALUES (1, repeat('x', 20000000), now())"
    )
    event = Event.objects.newest()[0]
    assert (event.action, len(event.changes["reason"][1])) == (Action.OUTBOX_PAUSED, 20_000_000)

    events = Event.objects.count()
    refused(
        app_session,
        "UPDATE outbox_pause SET reason = repeat('y', 270000000)",
        match="exceeds the maximum|too long",
    )
    assert app_session.execute("SELECT left(reason, 1) FROM outbox_pause").fetchall() == [("x",)]
    assert Event.objects.count() == events


def test_the_app_does_its_work_as_that_user(
    client: Client, alice: User, lena: User, tmp_path: object
) -> None:
    annotation = make_annotation()
    with as_app_user():
        with connection.cursor() as cursor:
            cursor.execute("SELECT session_user, current_user")
            assert cursor.fetchone() == ("reviewapp_app", "reviewapp_app")
        client.force_login(alice)
        assert client.get(f"/annotations/{annotation.pk}").status_code == 200
        assert post_decision(client, annotation, label="other").status_code == 302
        client.force_login(lena)
        assert client.get("/history").status_code == 200
        assert client.get("/health/ready").status_code in {200, 503}
        cache.set("a", 1)
        assert cache.get("a") == 1
        jobs.configure_task("sync.deliver").defer()
        call_command("clearsessions")
        call_command("migrate", check_unapplied=True, verbosity=0)
        call_command("backup", f"{tmp_path}/a.dump", verbosity=0)
    event = Event.objects.about(annotation.ref).doing(Action.ANNOTATION_RELABELLED).get()
    assert (event.actor_name, event.origin) == ("alice", Origin.WEB)
    assert ProcrastinateJob.objects.filter(task_name="sync.deliver").exists()
