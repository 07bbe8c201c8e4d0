"""Who acts is known while they act, and forgotten at once afterwards."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import Trace, acting, current_trace, tracing
from reviewapp.audit.models import Event
from tests.factories import make_bare_annotation

pytestmark = pytest.mark.django_db


def relabel(label: str) -> tuple[str, str]:
    """Relabel the only annotation; return who the history says did it, and from which origin."""
    assert Annotation.objects.update(label=label) == 1
    event = Event.objects.newest()[0]
    assert event.label_to == label
    return event.actor_name, event.origin


@pytest.fixture
def row() -> Annotation:
    return make_bare_annotation()


def test_it_names_the_person_the_door_and_the_request(alice: User) -> None:
    with tracing(Origin.WEB, "request-1"), acting(alice):
        make_bare_annotation()
    event = Event.objects.get()
    assert (event.actor_name, event.origin, event.request_id) == ("alice", Origin.WEB, "request-1")


def test_it_lets_the_machine_act_by_itself(row: Annotation) -> None:
    with tracing(Origin.WORKER), acting(None):
        assert relabel("dog") == ("", Origin.WORKER)


def test_it_gives_the_outer_person_back_after_the_inner_one(
    row: Annotation, alice: User, bob: User
) -> None:
    with acting(alice):
        with acting(bob):
            assert relabel("one") == ("bob", Origin.SHELL)
        assert relabel("two") == ("alice", Origin.SHELL)
        assert current_trace().actor_name == "alice"


def test_it_gives_the_machine_back_after_a_person(row: Annotation, bob: User) -> None:
    with tracing(Origin.PULL), acting(None):
        with acting(bob):
            relabel("one")
        assert relabel("two") == ("", Origin.PULL)


def test_it_gives_the_outer_person_back_after_an_error(
    row: Annotation, alice: User, bob: User
) -> None:
    with acting(alice):
        with pytest.raises(DatabaseError), acting(bob), connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")
        assert relabel("two") == ("alice", Origin.SHELL)


def test_it_gives_the_outer_person_back_after_a_rollback(
    row: Annotation, alice: User, bob: User
) -> None:
    with acting(alice):
        with acting(bob):
            relabel("one")
            transaction.set_rollback(True)
        assert relabel("two") == ("alice", Origin.SHELL)
    assert not Event.objects.by(bob.pk).exists()


def test_it_forgets_the_person_inside_a_test_transaction(row: Annotation, alice: User) -> None:
    with acting(alice):
        relabel("one")
    assert relabel("two")[1] == Origin.SQL
    assert current_trace() == Trace()


def test_it_keeps_the_person_across_a_savepoint(row: Annotation, alice: User) -> None:
    with acting(alice):
        with transaction.atomic():
            relabel("one")
        assert relabel("two") == ("alice", Origin.SHELL)


@pytest.mark.django_db(transaction=True)
def test_it_leaks_into_no_later_transaction(row: Annotation, alice: User) -> None:
    with acting(alice):
        relabel("one")
    assert relabel("two")[1] == Origin.SQL
    with pytest.raises(ZeroDivisionError), acting(alice):
        raise ZeroDivisionError
    assert relabel("three")[1] == Origin.SQL


@pytest.mark.django_db(transaction=True)
def test_it_leaks_into_no_other_thread(row: Annotation, alice: User) -> None:
    traces: list[tuple[Trace, tuple[str, str]]] = []

    def elsewhere() -> None:
        try:
            traces.append((current_trace(), relabel("elsewhere")))
        finally:
            connection.close()

    with acting(alice):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    ((trace, (_, origin)),) = traces
    assert (trace, origin) == (Trace(), Origin.SQL)


@pytest.mark.parametrize(
    "note", ["nul \0 byte", "lone \ud800 surrogate", 'quote " and \\', "שלום", "x" * 100_000]
)
def test_it_never_loses_a_write_to_an_odd_note(note: str, row: Annotation, alice: User) -> None:
    with acting(alice, note=note):
        assert relabel("dog") == ("alice", Origin.SHELL)


@given(note=st.text(st.characters(codec=None)))
def test_it_tells_only_what_jsonb_takes(note: str) -> None:
    values = Trace(note=note).as_json()
    assert "\\u0000" not in values
    assert values.isascii()
    values.encode()


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [("abcdef-123", True), ("short", False), ("x" * 65, False), ("a b c d e f g", False)],
)
def test_it_takes_a_sane_request_id_and_answers_with_it(
    client: Client, given_id: str, kept: bool
) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": given_id})
    assert (answer["X-Request-ID"] == given_id) is kept
    assert len(answer["X-Request-ID"]) >= 8
