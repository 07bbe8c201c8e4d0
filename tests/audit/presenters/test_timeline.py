"""The history of one thing, told in sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Action, Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import (
    build_entry,
    event_sentence,
    group_entries,
    timeline,
)
from tests.factories import make_bare_annotation, make_bare_change

NOON = datetime(2025, 11, 21, 12, tzinfo=UTC)


def event(action: str, changes: Any = None, *, pk: int = 1, **fields: Any) -> Event:
    """Return an event of alice on `annotations/1` that nobody saved."""
    plain = {
        "actor_id": 1,
        "actor_name": "alice",
        "ref": "annotations/1",
        "origin": "web",
        "request_id": "r1",
    }
    return Event(
        pk=pk,
        at=NOON + timedelta(seconds=pk),
        action=action,
        changes=changes or {},
        **plain | fields,
    )


@pytest.mark.parametrize(
    ("action", "changes", "told"),
    [
        (Action.ANNOTATION_RELABELLED, {"label": ["cat", "dog"]}, "relabelled “cat” to “dog”"),
        (Action.ANNOTATION_RELABELLED, {"label": ["", "dog"]}, "labelled it “dog”"),
        (Action.ANNOTATION_RELABELLED, {"label": ["cat", ""]}, "relabelled “cat” to nothing"),
        (Action.ANNOTATION_RELABELLED, {"label": ["{old}", "{0}"]}, "relabelled “{old}” to “{0}”"),
        (Action.RETRIEVER_RENAMED, {"name": ["Logos", "Marks"]}, "renamed “Logos” to “Marks”"),
        (
            Action.CHANGE_DELIVERED,
            {"state": ["queued", "delivered"]},
            "delivered a change to Mixpeek",
        ),
        (
            Action.ANNOTATION_RELABELLED,
            {"label": ["cat", "כלב"]},
            "relabelled “cat” to “\u2068כלב\u2069”",
        ),
        (
            Action.RETRIEVER_RENAMED,
            {"tags": [[], ["x"]], "name": ["Logos", "Marks"], "description": ["", "All of them"]},
            "renamed “Logos” to “Marks”, changed the description and changed the tags",
        ),
        (Action.ANNOTATION_CONFIRMED, {"decision_id": [None, 1]}, "confirmed the annotation"),
        (
            Action.ANNOTATION_CONFIRMED,
            {"decision_id": [None, 1], "metadata": [None, {"a": 1}]},
            "changed the annotation",
        ),
        ("annotation.of_another_age", {}, "annotation.of_another_age"),
    ],
)
def test_it_says_what_happened(action: str, changes: dict[str, Any], told: str) -> None:
    assert event_sentence(event(action, changes)) == told


@pytest.mark.parametrize(
    ("origin", "action", "told"),
    [
        (
            "pull",
            Action.ANNOTATION_RELABELLED,
            "noticed that somebody at Mixpeek relabelled “cat” to “dog”",
        ),
        (
            "webhook",
            Action.ANNOTATION_REVISED,
            "noticed that somebody at Mixpeek changed the annotation",
        ),
        ("worker", Action.ANNOTATION_REVISED, "updated it to Mixpeek's values"),
        ("pull", Action.ANNOTATION_GONE, "found that Mixpeek no longer has it"),
    ],
)
def test_it_takes_none_of_our_programs_for_who_did_it(origin: str, action: str, told: str) -> None:
    nobody: dict[str, Any] = {"actor_id": None, "actor_name": "", "origin": origin}
    assert event_sentence(event(action, {"label": ["cat", "dog"]}, **nobody)) == told


@pytest.mark.parametrize("action", Action)
def test_it_has_a_sentence_for_every_action(action: Action) -> None:
    told = event_sentence(event(action))
    assert told
    assert "{" not in told


def test_it_tells_a_decision_and_its_promise_as_one() -> None:
    decided = {"label": ["cat", "dog"], "decision_id": [None, 4], "reviewer_id": [None, 1]}
    queued = {"state": [None, "queued"], "fields": [None, {"label": "dog"}]}
    (entry,) = group_entries(
        [
            event(Action.CHANGE_QUEUED, queued, pk=2),
            event(Action.ANNOTATION_RELABELLED, decided, pk=1, note="it barks"),
        ]
    )
    assert entry.sentence == "relabelled “cat” to “dog” and queued a change for Mixpeek"
    assert [(diff.name, diff.old, diff.new) for diff in entry.diffs] == [("label", "cat", "dog")]
    assert (entry.who, entry.note, entry.origin, entry.at) == (
        "alice",
        "it barks",
        Origin.WEB,
        NOON + timedelta(seconds=2),
    )


def test_it_tells_two_steps_of_one_request_from_first_to_last() -> None:
    first, second = {"label": ["cat", "dog"]}, {"label": ["dog", "cow"], "confidence": [0.1, 0.2]}
    entry = build_entry(
        [event(Action.ANNOTATION_RELABELLED, first), event(Action.ANNOTATION_RELABELLED, second)]
    )
    assert [(diff.name, diff.old, diff.new) for diff in entry.diffs] == [
        ("confidence", "0.1", "0.2"),
        ("label", "cat", "cow"),
    ]


@pytest.mark.parametrize(
    "other", [{"request_id": "r2"}, {"actor_id": 2, "actor_name": "bob"}, {"ref": "annotations/2"}]
)
def test_it_keeps_apart_what_another_request_person_or_thing_did(other: dict[str, Any]) -> None:
    told = group_entries(
        [event(Action.ANNOTATION_REVISED, pk=2, **other), event(Action.ANNOTATION_REVISED)]
    )
    assert len(told) == 2


def test_it_keeps_apart_two_deliveries_of_one_turn_of_the_worker() -> None:
    turn = [
        (Action.CHANGE_DELIVERED, 8),
        (Action.ANNOTATION_REVISED, 7),
        (Action.CHANGE_DELIVERED, 7),
    ]
    told = group_entries(
        event(action, {"version": [None, at]}, pk=9 - n) for n, (action, at) in enumerate(turn)
    )
    assert [entry.sentence for entry in told] == [
        "changed the annotation and delivered a change to Mixpeek",
        "delivered a change to Mixpeek",
    ]


def test_it_keeps_apart_what_no_request_did() -> None:
    told = group_entries(
        event(Action.ANNOTATION_REVISED, pk=pk, request_id="", origin="sql") for pk in (2, 1)
    )
    assert len(told) == 2


def test_it_names_the_door_where_no_person_acted() -> None:
    entry = build_entry(
        [event(Action.CHANGE_DELIVERED, actor_id=None, actor_name="", origin="worker")]
    )
    assert (entry.who, entry.by_machine, entry.outside) == ("Worker", True, False)


@pytest.mark.parametrize(
    ("origin", "name", "note", "told"),
    [
        ("pull", "", "pull", ""),
        ("webhook", "", "Webhook", ""),
        ("shell", "", "pull", "pull"),
        ("web", "alice", "web", "web"),
    ],
)
def test_it_leaves_out_a_note_that_only_repeats_the_door(
    origin: str, name: str, note: str, told: str
) -> None:
    assert (
        build_entry(
            [event(Action.EXECUTION_SETTLED, origin=origin, actor_name=name, note=note)]
        ).note
        == told
    )


def test_it_shows_a_change_from_outside_whole() -> None:
    entry = build_entry(
        [
            event(
                Action.ANNOTATION_REVISED,
                {"reviewer_id": [1, 2]},
                origin="sql",
                actor_name="postgres",
            )
        ]
    )
    assert (entry.who, entry.outside) == ("postgres", True)
    assert [diff.name for diff in entry.diffs] == ["reviewer_id"]


ANYTHING = st.none() | st.integers() | st.text() | st.lists(st.integers() | st.none(), max_size=3)


@given(
    events=st.lists(
        st.builds(
            event,
            st.sampled_from([*Action]) | st.text(),
            st.dictionaries(st.sampled_from(["label", "name", "fields", "payload"]), ANYTHING)
            | ANYTHING,
            pk=st.integers(1, 10**6),
            request_id=st.sampled_from(["", "a", "b"]),
            origin=st.sampled_from([*Origin, "nowhere"]),
            note=st.text(),
        ),
        max_size=8,
    )
)
def test_it_tells_whatever_somebody_inserted(events: list[Event]) -> None:
    told = group_entries(events)
    assert len(told) <= len(events)
    assert bool(told) == bool(events)
    assert [entry.at for entry in told[:1]] == [one.at for one in events[:1]] or len(events) > 1


@pytest.mark.django_db
def test_it_reads_the_timeline_of_one_thing_in_few_queries(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    row = make_bare_annotation()
    make_bare_annotation(ref="annotations/ann_2", document_id="doc_2")
    with tracing(Origin.WEB, "request-1"), acting(alice):
        Annotation.objects.filter(pk=row.pk).update(label="dog")
        make_bare_change()
    with django_assert_max_num_queries(2):
        told = timeline(row.ref)
    assert told[0].who == "alice"
    assert told[0].sentence == "relabelled “cat” to “dog” and queued a change for Mixpeek"
    assert len(told) == 2
    assert len(timeline(row.ref, limit=1)) == 1
    page = render_to_string("audit/_timeline.html", {"entries": told}, RequestFactory().get("/"))
    assert '<del class="diff-old" dir="auto">cat</del>' in page


def test_it_says_so_when_nothing_happened() -> None:
    assert "No history yet." in render_to_string("audit/_timeline.html", {"entries": []})


def test_it_tells_each_story_anew_when_anything_in_it_differs() -> None:
    (told,) = group_entries([event(Action.ANNOTATION_RELABELLED, {"label": ["cat", "dog"]})])
    (same,) = group_entries([event(Action.ANNOTATION_RELABELLED, {"label": ["cat", "dog"]})])
    assert told is same
    for other in (
        event(Action.ANNOTATION_RELABELLED, {"label": ["cat", "cow"]}),
        event(Action.ANNOTATION_RELABELLED, {"label": ["cat", "dog"]}, actor_name="bob"),
        event(Action.ANNOTATION_RELABELLED, {"label": ["cat", "dog"]}, note="because"),
        event(Action.ANNOTATION_RELABELLED, {"label": ["cat", "dog"]}, pk=2),
    ):
        assert group_entries([other]) != [told]
