"""No path to a row goes around the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, SetAside
from reviewapp.audit.actions import Action, Origin
from reviewapp.audit.context import acting
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Change, Pause
from tests.factories import bare_annotation, make_bare_annotation, make_bare_change, make_retriever

pytestmark = pytest.mark.django_db

# How an annotation labelled `cat` becomes one labelled `dog`.
PATHS: dict[str, Callable[[Annotation], object]] = {}


def path(function: Callable[[Annotation], object]) -> Callable[[Annotation], object]:
    PATHS[function.__name__] = function
    return function


@path
def save(row: Annotation) -> None:
    row.label = "dog"
    row.save()


@path
def save_of_one_field(row: Annotation) -> None:
    row.label = "dog"
    row.save(update_fields=["label"])


@path
def queryset_update(row: Annotation) -> None:
    Annotation.objects.filter(pk=row.pk).update(label="dog")


@path
def bulk_update(row: Annotation) -> None:
    row.label = "dog"
    Annotation.objects.bulk_update([row], ["label"])


@path
def upsert(row: Annotation) -> None:
    again = Annotation(**bare_annotation(label="dog"))
    Annotation.objects.bulk_create(
        [again], update_conflicts=True, unique_fields=["ref"], update_fields=["label"]
    )


@path
def raw_sql(row: Annotation) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE annotations_annotation SET label = 'dog' WHERE id = %s", [row.pk])


def newest() -> Event:
    return Event.objects.newest()[0]


@pytest.mark.parametrize("name", PATHS)
def test_it_writes_an_event_on_every_path_that_updates(name: str, alice: User) -> None:
    row = make_bare_annotation()
    with acting(alice, note="it barks"):
        PATHS[name](row)
    event = newest()
    assert (event.action, event.ref) == (Action.ANNOTATION_RELABELLED, "annotations/ann_1")
    assert (event.actor_id, event.actor_name, event.note) == (alice.pk, "alice", "it barks")
    assert event.changes == {"label": ["cat", "dog"]}
    assert (event.label_from, event.label_to) == ("cat", "dog")


def test_it_writes_an_event_for_each_row_of_a_bulk_insert() -> None:
    Annotation.objects.bulk_create(
        Annotation(**bare_annotation(ref=f"annotations/{n}", document_id=f"doc_{n}"))
        for n in range(3)
    )
    events = Event.objects.order_by("id")
    assert [event.ref for event in events] == ["annotations/0", "annotations/1", "annotations/2"]
    assert {event.action for event in events} == {Action.ANNOTATION_CREATED}


def test_it_leaves_the_empty_values_of_a_new_row_out() -> None:
    make_bare_annotation(reasoning="", payload={})
    assert newest().changes == {
        "label": [None, "cat"],
        "confidence": [None, 0.5],
        "status": [None, "waiting"],
    }


def test_it_keeps_what_a_deleted_row_held() -> None:
    make_bare_annotation(payload={"code": 7}).delete()
    event = newest()
    assert event.action == Action.ANNOTATION_DELETED
    assert event.changes["payload"] == [{"code": 7}, None]


def test_it_names_the_retriever_around_which_it_happened() -> None:
    make_bare_annotation(retriever=make_retriever(retriever_id="ret_1", name="Logos"))
    assert newest().retriever_id == "ret_1"


def test_it_says_nothing_when_nothing_people_care_about_changed() -> None:
    row = make_bare_annotation()
    Annotation.objects.filter(pk=row.pk).update(
        seen_at=timezone.now(), title="t", words="w", label="cat"
    )
    assert Event.objects.count() == 1


def test_it_notices_when_what_never_changes_did() -> None:
    row = make_bare_annotation()
    Annotation.objects.filter(pk=row.pk).update(document_id="doc_2")
    assert newest().changes == {"document_id": ["doc_1", "doc_2"]}


def test_it_says_nothing_about_a_claim() -> None:
    change = make_bare_change()
    Change.objects.filter(pk=change.pk).update(
        due=timezone.now() + timedelta(minutes=3), claimed_at=timezone.now()
    )
    assert Event.objects.get().action == Action.CHANGE_QUEUED


@pytest.mark.parametrize(
    ("columns", "action"),
    [
        ({"attempts": 1, "reason": "503"}, Action.CHANGE_POSTPONED),
        ({"state": "delivered"}, Action.CHANGE_DELIVERED),
        ({"state": "conflict", "theirs": {"label": "cow"}}, Action.CHANGE_CONFLICTED),
        ({"state": "refused", "reason": "label too long"}, Action.CHANGE_REFUSED),
        ({"state": "withdrawn"}, Action.CHANGE_WITHDRAWN),
    ],
)
def test_it_tells_how_a_change_went(columns: dict[str, object], action: Action) -> None:
    change = make_bare_change()
    Change.objects.filter(pk=change.pk).update(settled_at=timezone.now(), **columns)
    assert newest().action == action


def test_it_tells_of_a_pause_and_its_end() -> None:
    Pause.objects.create(reason="401")
    Pause.objects.all().delete()
    assert list(Event.objects.order_by("id").values_list("action", "ref")) == [
        (Action.OUTBOX_PAUSED, "outbox"),
        (Action.OUTBOX_RESUMED, "outbox"),
    ]


def test_it_tells_who_set_an_item_aside_and_took_it_up_again(alice: User) -> None:
    row = make_bare_annotation(retriever=make_retriever(retriever_id="ret_1", name="Logos"))
    with acting(alice):
        aside = SetAside.objects.create(
            annotation=row, person=alice, kind=SetAside.Kind.SKIPPED, reason="not mine"
        )
        aside.delete()
    resumed, skipped = Event.objects.newest()[:2]
    assert (skipped.action, resumed.action) == (
        Action.ANNOTATION_SKIPPED,
        Action.ANNOTATION_RESUMED,
    )
    assert (skipped.ref, skipped.retriever_id) == ("annotations/ann_1", "ret_1")
    assert skipped.changes["reason"] == [None, "not mine"]


def test_it_tells_of_a_retriever_that_was_renamed_and_one_that_left() -> None:
    row = make_retriever(retriever_id="ret_1", name="Logos")
    row.name = "Marks"
    row.save()
    row.gone_at = timezone.now()
    row.save()
    gone, renamed = Event.objects.newest()[:2]
    assert (renamed.action, renamed.changes) == (
        Action.RETRIEVER_RENAMED,
        {"name": ["Logos", "Marks"]},
    )
    assert gone.action == Action.RETRIEVER_GONE


def test_it_orders_the_events_of_one_transaction() -> None:
    row = make_bare_annotation()
    for label in "abcdef":
        Annotation.objects.filter(pk=row.pk).update(label=label)
    events = list(Event.objects.newest())
    assert [event.label_to for event in events] == ["f", "e", "d", "c", "b", "a", "cat"]
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)


def test_it_gives_a_change_made_without_a_word_to_the_database_user() -> None:
    make_bare_annotation()
    event = newest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        (user,) = cursor.fetchone()
    assert (event.origin, event.actor_id, event.actor_name) == (Origin.SQL, None, user)
    assert event.note.startswith(f"as database user {user}")
