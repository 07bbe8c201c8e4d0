"""The one door through which upstream annotations come in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror.absorb import absorb, attach_results, mark_gone, rebase
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.audit.models import Event
from reviewapp.mixpeek.records import RevisionRecord
from reviewapp.retrievers.sync_counts import SyncCounts
from tests.decisions import decide
from tests.factories import (
    annotation_record,
    make_annotation,
    make_change,
    make_execution,
    make_result,
    make_retriever,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
STAMP = {"decision_id": "0f", "reviewer": "reviewer_1", "time": "2026-05-01T12:00:00+00:00"}


def edited_by(kind: str, **prior: Any) -> RevisionRecord:
    return RevisionRecord(
        version=1, prior=prior, edited_at=NOON, edited_by="x", edited_by_type=kind
    )


def test_it_makes_a_row_for_what_is_new() -> None:
    retriever = make_retriever()
    tally = absorb(
        [
            annotation_record(
                retriever_id=retriever.retriever_id,
                confidence=0.4,
                reasoning=None,
                payload={"a": 1},
            )
        ]
    )
    row = Annotation.objects.get()
    assert tally == SyncCounts(new=1)
    assert (row.ref, row.retriever, row.status) == ("annotations/ann_1", retriever, "waiting")
    assert row.upstream == row.proposed == {**row.values(), "metadata": row.metadata}
    assert (row.label, row.confidence, row.reasoning) == ("logo", 0.4, "")
    assert row.payload == {"a": 1}


def test_it_changes_nothing_a_second_time() -> None:
    absorb([annotation_record()])
    events = Event.objects.count()
    assert absorb([annotation_record()]) == SyncCounts(same=1)
    assert Event.objects.count() == events


def test_it_takes_what_changed_upstream() -> None:
    absorb([annotation_record()])
    tally = absorb(
        [
            annotation_record(
                label="no logo", version=2, revisions=(edited_by("api_key", label="logo"),)
            )
        ]
    )
    row = Annotation.objects.get()
    assert tally == SyncCounts(changed=1)
    assert (row.label, row.version, row.status, row.proposed["label"]) == (
        "no logo",
        2,
        "decided",
        "logo",
    )


def test_it_takes_what_python_would_call_the_same() -> None:
    absorb([annotation_record(payload={"seen": 1})])
    assert absorb([annotation_record(payload={"seen": True}, version=2)]) == SyncCounts(changed=1)
    assert Annotation.objects.get().payload["seen"] is True


def test_it_sees_no_news_in_how_jsonb_spells_a_number() -> None:
    absorb([annotation_record(payload={"n": 1e23, "m": 1.0}, version=None)])
    events = Event.objects.count()
    assert absorb([annotation_record(payload={"n": 1e23, "m": 1}, version=None)]) == SyncCounts(
        same=1
    )
    assert Event.objects.count() == events


def test_it_leaves_an_older_answer_alone() -> None:
    absorb([annotation_record(label="new", version=3)])
    assert absorb([annotation_record(label="old", version=2)]) == SyncCounts(same=1)
    assert Annotation.objects.get().label == "new"


def test_it_leaves_an_older_answer_alone_where_there_are_no_versions() -> None:
    absorb([annotation_record(label="new", version=None, updated_at=NOON)])
    absorb([annotation_record(label="old", version=None, updated_at=NOON.replace(hour=11))])
    assert Annotation.objects.get().label == "new"


def test_it_keeps_the_newest_of_two_answers_in_one_batch() -> None:
    absorb([annotation_record(label="new", version=3), annotation_record(label="old", version=2)])
    assert Annotation.objects.get().label == "new"


def test_it_shows_our_undelivered_changes_on_top() -> None:
    annotation = make_annotation(label="mine", confidence=0.5)
    make_change(annotation, fields={"label": "mine"})
    absorb(
        [
            annotation_record(
                annotation.annotation_id or "",
                document_id=annotation.document_id,
                label="theirs",
                version=2,
            )
        ]
    )
    annotation.refresh_from_db()
    assert (annotation.label, annotation.upstream["label"], annotation.confidence) == (
        "mine",
        "theirs",
        None,
    )


def test_it_shows_upstream_again_when_a_change_falls_away() -> None:
    annotation = make_annotation(label="mine", upstream={"label": "theirs", "confidence": 0.1})
    make_change(annotation, "refused", fields={"label": "mine"})
    make_change(annotation, "queued", fields={"reasoning": "Seen."})
    rebase(annotation.ref)
    annotation.refresh_from_db()
    assert (annotation.label, annotation.confidence) == ("theirs", 0.1)
    assert annotation.reasoning == "Seen."


@pytest.mark.parametrize(
    ("values", "status", "proposed"),
    [
        ({"actor_type": "system"}, "waiting", "logo"),
        ({"actor_type": "user"}, "decided", None),
        ({"actor_type": "api_key"}, "waiting", "logo"),
        ({"actor_type": "api_key", "metadata": {"reviewapp": STAMP}}, "decided", None),
        (
            {
                "actor_type": "api_key",
                "version": 2,
                "revisions": (edited_by("api_key", label="x"),),
            },
            "decided",
            "x",
        ),
        ({"version": 2, "revisions": (edited_by("user", label="first"),)}, "decided", "first"),
        ({"version": 2, "revisions": (edited_by("system", label="first"),)}, "waiting", "first"),
    ],
)
def test_it_knows_the_machine_s_proposal_from_a_person_s_decision(
    values: dict[str, Any], status: str, proposed: str | None
) -> None:
    absorb([annotation_record(**values)])
    row = Annotation.objects.get()
    assert (row.status, row.proposed.get("label")) == (status, proposed)


def test_it_fills_the_row_of_a_result_nobody_had_annotated() -> None:
    retriever = make_retriever()
    attach_results([make_result(retriever, document_id="doc_1")])
    ref = Annotation.objects.get().ref
    absorb([annotation_record(retriever_id=retriever.retriever_id)])
    row = Annotation.objects.get()
    assert (row.ref, row.annotation_id, row.label) == (ref, "ann_1", "logo")
    absorb([annotation_record("ann_2", retriever_id=retriever.retriever_id)])
    assert Annotation.objects.count() == 2


def test_it_takes_gone_and_back_again() -> None:
    absorb([annotation_record()])
    assert mark_gone(["ann_1", "ann_unknown"]) == 1
    assert mark_gone(["ann_1"]) == 0
    assert Annotation.objects.get().status == "gone"
    absorb([annotation_record()])
    assert Annotation.objects.get().status == "waiting"


@pytest.mark.parametrize("outcome", ["decided", "undecidable"])
def test_it_comes_back_as_what_was_decided_here(alice: User, outcome: str) -> None:
    annotation = make_annotation(version=1)
    decide(annotation, alice, outcome=Decision.Outcome(outcome), reasoning="Because.")
    absorb_again = annotation_record(
        str(annotation.annotation_id), document_id=annotation.document_id
    )
    mark_gone([str(annotation.annotation_id)])
    absorb([absorb_again])
    annotation.refresh_from_db()
    assert annotation.status == outcome


def test_it_shows_a_result_on_the_annotations_of_its_document() -> None:
    retriever = make_retriever()
    row = make_annotation(retriever, document_id="doc_1")
    result = make_result(
        retriever,
        document_id="doc_1",
        score=0.9,
        snapshot={"title": "A van", "text": "with a logo"},
    )
    assert attach_results([result]) == 0
    row.refresh_from_db()
    assert (row.result, row.score, row.title) == (result, 0.9, "A van")
    assert "with a logo" in row.words
    assert list(Annotation.objects.filter(search="logo")) == [row]


def test_it_makes_one_waiting_row_for_a_result_shown_twice() -> None:
    retriever = make_retriever()
    results = [
        make_result(retriever, document_id="doc_1", execution=make_execution(retriever))
        for _ in range(2)
    ]
    assert attach_results(results) == 1
    assert attach_results(results) == 0
    row = Annotation.objects.get()
    assert (row.result, row.annotation_id, row.label, row.status) == (
        results[1],
        None,
        "",
        "waiting",
    )


def test_it_shows_a_pulled_document_only_where_nothing_is_shown_yet() -> None:
    retriever = make_retriever()
    seen = make_annotation(
        retriever, document_id="doc_1", result=make_result(retriever, document_id="doc_1")
    )
    bare = make_annotation(document_id="doc_1")
    result = make_result(None, document_id="doc_1")
    assert attach_results([result]) == 0
    seen.refresh_from_db()
    bare.refresh_from_db()
    assert (seen.result == result, bare.result == result) == (False, True)
