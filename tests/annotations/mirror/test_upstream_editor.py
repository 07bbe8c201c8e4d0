"""What was done at Mixpeek is told as done by whoever Mixpeek says it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror.absorb import absorb
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.audit.presenters.timeline import Entry, timeline
from reviewapp.mixpeek.records import AnnotationRecord, RevisionRecord
from tests.decisions import decide
from tests.factories import make_annotation, make_change

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def edit(version: int, by: str, kind: str = "api_key", **prior: Any) -> RevisionRecord:
    return RevisionRecord(
        version=version, prior=prior, edited_at=NOON, edited_by=by, edited_by_type=kind
    )


def record(*edits: RevisionRecord, id_: str = "ann_1", **values: Any) -> AnnotationRecord:
    defaults: dict[str, Any] = {"document_id": f"doc_{id_}", "namespace_id": "ns", "label": "cat"}
    return AnnotationRecord(
        annotation_id=id_, version=len(edits) + 1, revisions=edits, **defaults | values
    )


def noticed(*records: AnnotationRecord, origin: Origin = Origin.PULL) -> Entry:
    with tracing(origin), acting(None, note="pull"):
        absorb(records)
    return timeline("annotations/ann_1")[0]


@pytest.mark.parametrize("origin", [Origin.PULL, Origin.WEBHOOK])
def test_it_names_another_key(origin: Origin) -> None:
    noticed(record())
    entry = noticed(record(edit(1, "key_night", label="cat"), label="dog"), origin=origin)
    assert (entry.who, entry.sentence) == ("another key (key_night)", "relabelled “cat” to “dog”")
    assert (entry.origin, entry.note, entry.by_machine) == (origin, "pull", False)


def test_it_names_everybody_who_had_a_hand_in_it_in_their_order() -> None:
    noticed(record())
    entry = noticed(
        record(
            edit(1, "user_7", "user", label="cat"),
            edit(2, "key_night", confidence=None),
            edit(3, "user_7", "user", confidence=0.1),
            label="dog",
            confidence=0.5,
        )
    )
    assert entry.who == "another user (user_7) and another key (key_night)"


def test_it_names_only_who_came_after_what_was_known() -> None:
    noticed(record(edit(1, "key_old", label="cat"), label="dog"))
    entry = noticed(
        record(edit(1, "key_old", label="cat"), edit(2, "key_new", label="dog"), label="cow")
    )
    assert entry.who == "another key (key_new)"


def test_it_keeps_apart_what_different_hands_did_to_different_items() -> None:
    noticed(record(), record(id_="ann_2"), record(id_="ann_3"))
    noticed(
        record(edit(1, "key_one", label="cat"), label="dog"),
        record(edit(1, "system", "system", label="cat"), id_="ann_2", label="dog"),
        record(id_="ann_3", label="dog"),
    )
    entries = {ref: timeline(f"annotations/{ref}")[0] for ref in ("ann_1", "ann_2", "ann_3")}
    assert entries["ann_1"].who == "another key (key_one)"
    assert entries["ann_2"].who == "the machine"
    assert (entries["ann_3"].who, entries["ann_3"].by_machine) == ("Pull", True)


def test_it_says_somebody_where_mixpeek_tells_of_no_hand() -> None:
    noticed(record())
    entry = noticed(record(label="dog"))
    assert (entry.who, entry.by_machine) == ("Pull", True)
    assert entry.sentence == "noticed that somebody at Mixpeek relabelled “cat” to “dog”"


def test_it_tells_another_holder_of_our_key_from_what_we_are_sending() -> None:
    row = make_annotation(annotation_id="ann_1", ref="annotations/ann_1", label="cat", version=1)
    sent = make_change(
        row, fields={"label": "dog"}, state="delivered", version=2, actor_name="alice"
    )
    first, second = edit(1, "key_ours", label="cat"), edit(2, "key_ours", confidence=row.confidence)
    noticed(record(first, label="dog", document_id=row.document_id, confidence=row.confidence))
    entry = noticed(record(first, second, label="dog", document_id=row.document_id, confidence=0.9))
    assert entry.who == "another holder of our key"
    make_change(row, fields={"label": "cow"})
    third = edit(3, "key_ours", label="dog", confidence=0.9)
    entry = noticed(
        record(first, second, third, label="cow", document_id=row.document_id, confidence=0.8)
    )
    assert entry.who == "Pull"
    assert sent.actor_name == "alice"


def test_it_asks_no_more_often_for_many_items(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    ids = [f"ann_{number}" for number in range(1, 40)]
    noticed(*[record(id_=id_) for id_ in ids])
    with django_assert_max_num_queries(20):
        noticed(*[record(edit(1, "key_night", label="cat"), id_=id_, label="dog") for id_ in ids])


def test_it_tells_a_change_of_metadata_as_no_confirmation(alice: User) -> None:
    row = make_annotation(label="cat", confidence=0.5, metadata={"a": 1})
    values: dict[str, Any] = {
        "label": "cat",
        "confidence": 0.5,
        "reasoning": row.reasoning,
        "payload": row.payload,
    }
    base = {**values, "metadata": {"a": 1}}
    with tracing(Origin.API):
        decide(row, alice, decision_id=UUID(int=1), base=base, metadata={"a": 2})
    assert timeline(row.ref)[0].sentence == "changed the annotation and queued a change for Mixpeek"
    decide(row, alice, decision_id=UUID(int=2), base={**base, "metadata": {"a": 2}})
    assert timeline(row.ref)[0].sentence == "confirmed the annotation"
