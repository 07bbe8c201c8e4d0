"""Deciding: one transaction, one decision per form, and nobody overwritten."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.exceptions import AnnotationGone, DecisionIdTaken, StaleSubmission
from reviewapp.annotations.decide.statements import get_for_decision, lock_annotation
from reviewapp.annotations.fields import STORED_FIELDS
from reviewapp.annotations.models import Annotation, Decision, Lease, SetAside
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Change
from tests.decisions import decide, submission
from tests.factories import (
    distinct_values,
    make_annotation,
    make_change,
    make_lease,
    make_result,
    make_retriever,
    make_set_aside,
)

pytestmark = pytest.mark.django_db


def test_it_records_decides_and_promises_the_difference(alice: User) -> None:
    annotation = make_annotation(confidence=0.4)
    decision = services.decide(
        annotation.pk, submission(annotation, label="no logo", confidence=0.9), actor=alice
    )
    annotation.refresh_from_db()
    change = Change.objects.get()
    assert (annotation.label, annotation.confidence, annotation.status) == (
        "no logo",
        0.9,
        "decided",
    )
    assert (annotation.decision, annotation.reviewer) == (decision, alice)
    assert (change.fields, change.base) == (
        {"label": "no logo", "confidence": 0.9},
        annotation.upstream,
    )
    assert (change.cause, change.actor_name, change.ref) == (
        decision.decision_id,
        "alice",
        annotation.ref,
    )


def test_it_keeps_the_evidence(alice: User) -> None:
    retriever = make_retriever(version=7)
    result = make_result(retriever, document_id="doc_1")
    make_result(retriever, document_id="doc_1", snapshot={"title": "Run again since"})
    annotation = make_annotation(retriever, document_id="doc_1", result=result)
    seen = submission(annotation, result_id=result.pk, seconds=12.5)
    decision = services.decide(annotation.pk, seen, actor=alice)
    assert (decision.document_digest, decision.retriever_version) == (result.digest, 7)
    assert (decision.base, decision.seconds, decision.result) == (annotation.seen(), 12.5, result)


def test_it_takes_no_other_document_for_evidence(alice: User) -> None:
    annotation = make_annotation(result=make_result(), document_id="doc_1")
    for result_id in (make_result().pk, 999_999):
        decision = services.decide(
            annotation.pk, submission(annotation, result_id=result_id), actor=alice
        )
        assert decision.result == annotation.result


def test_it_sends_nothing_when_the_machine_was_right(alice: User) -> None:
    annotation = make_annotation()
    services.decide(annotation.pk, submission(annotation), actor=alice)
    assert not Change.objects.exists()
    assert Event.objects.about(annotation.ref)[0].action == Action.ANNOTATION_CONFIRMED


def test_it_is_one_decision_however_often_it_is_sent(alice: User) -> None:
    annotation = make_annotation()
    sent = submission(annotation, label="no logo")
    first = services.decide(annotation.pk, sent, actor=alice)
    assert services.decide(annotation.pk, sent, actor=alice) == first
    assert Decision.objects.count() == Change.objects.count() == 1


def test_it_refuses_a_decision_id_used_for_something_else(alice: User, bob: User) -> None:
    one, other = make_annotation(), make_annotation()
    sent = submission(one)
    services.decide(one.pk, sent, actor=alice)
    with pytest.raises(DecisionIdTaken):
        services.decide(other.pk, sent, actor=alice)
    with pytest.raises(DecisionIdTaken):
        services.decide(one.pk, sent, actor=bob)


def test_it_shows_what_somebody_else_decided_meanwhile(alice: User, bob: User) -> None:
    annotation = make_annotation(label="logo")
    mine, theirs = (
        submission(annotation, label="no logo"),
        submission(annotation, label="partial logo"),
    )
    services.decide(annotation.pk, theirs, actor=bob)
    with pytest.raises(StaleSubmission) as caught:
        services.decide(annotation.pk, mine, actor=alice)
    stale = caught.value
    assert (stale.base["label"], stale.mine["label"], stale.theirs["label"]) == (
        "logo",
        "no logo",
        "partial logo",
    )
    assert stale.conflicts == ["label"]
    assert Decision.objects.count() == 1


def test_it_merges_what_only_one_of_two_changed(alice: User, bob: User) -> None:
    annotation = make_annotation(label="logo", confidence=0.4)
    mine, theirs = (
        submission(annotation, confidence=0.9),
        submission(annotation, reasoning="Seen on the door."),
    )
    services.decide(annotation.pk, theirs, actor=bob)
    services.decide(annotation.pk, mine, actor=alice)
    annotation.refresh_from_db()
    assert (annotation.label, annotation.confidence) == ("logo", 0.9)
    assert annotation.reasoning == "Seen on the door."
    assert Change.objects.about(annotation.ref)[0].fields == {"confidence": 0.9}


def test_it_lets_a_person_not_tell(alice: User) -> None:
    annotation = make_annotation(label="logo")
    cannot = submission(
        annotation, outcome=Decision.Outcome.UNDECIDABLE, label="", reasoning="Too blurred."
    )
    decision = services.decide(annotation.pk, cannot, actor=alice)
    annotation.refresh_from_db()
    assert (annotation.status, annotation.label, annotation.reasoning) == (
        "undecidable",
        "logo",
        "",
    )
    assert (decision.label, decision.reasoning) == ("logo", "Too blurred.")
    change = Change.objects.get()
    assert (change.verb, change.cause, change.base) == ("cannot_tell", decision.decision_id, {})
    assert change.fields == {"outcome": "cannot_tell", "reason": "Too blurred."}
    event = Event.objects.about(annotation.ref).get(action=Action.ANNOTATION_UNDECIDABLE)
    assert event.note == "Too blurred."


def test_it_does_not_turn_a_decision_into_cannot_tell_unseen(alice: User, bob: User) -> None:
    annotation = make_annotation(label="logo")
    cannot = submission(annotation, outcome=Decision.Outcome.UNDECIDABLE, reasoning="Too blurred.")
    services.decide(annotation.pk, submission(annotation), actor=bob)
    with pytest.raises(StaleSubmission) as caught:
        services.decide(annotation.pk, cannot, actor=alice)
    assert caught.value.conflicts == ["outcome"]


def test_it_answers_what_waited_for_a_person(alice: User) -> None:
    annotation = make_annotation(label="logo")
    waiting = make_change(annotation, "conflict", fields={"label": "no logo"})
    services.decide(annotation.pk, submission(annotation, label="no logo"), actor=alice)
    waiting.refresh_from_db()
    assert waiting.state == "withdrawn"
    assert "alice" in waiting.reason
    assert Change.objects.open_on(annotation.ref).get().fields == {"label": "no logo"}


def test_it_frees_the_item(alice: User) -> None:
    annotation = make_annotation()
    make_lease(annotation, alice)
    make_set_aside(annotation, alice)
    services.decide(annotation.pk, submission(annotation), actor=alice)
    assert not Lease.objects.exists()
    assert not SetAside.objects.exists()


def test_it_has_nothing_to_decide_when_upstream_lost_it(alice: User) -> None:
    annotation = make_annotation(status="gone")
    with pytest.raises(AnnotationGone):
        services.decide(annotation.pk, submission(annotation), actor=alice)


def test_it_refuses_the_wrong_person(stranger: User) -> None:
    annotation = make_annotation()
    with pytest.raises(PermissionDenied):
        services.decide(annotation.pk, submission(annotation), actor=stranger)
    with pytest.raises(PermissionDenied):
        services.take_theirs(make_change(annotation, "conflict"), actor=stranger)


def test_it_takes_theirs(alice: User) -> None:
    annotation = make_annotation(label="no logo", upstream={"label": "logo"})
    change = make_change(annotation, "refused")
    assert services.take_theirs(change, actor=alice)
    annotation.refresh_from_db()
    assert (annotation.label, Change.objects.get().state) == ("logo", "withdrawn")
    assert not services.take_theirs(change, actor=alice)


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET label = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_it_cannot_be_changed_afterwards(statement: str, alice: User) -> None:
    annotation = make_annotation()
    services.decide(annotation.pk, submission(annotation), actor=alice)
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        transaction.get_connection().cursor() as cursor,
    ):
        cursor.execute(statement.format("annotations_decision"))


def test_it_takes_few_round_trips(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    first, second = make_annotation(), make_annotation()
    services.decide(first.pk, submission(first, label="a"), actor=alice)
    # A savepoint and its end (the test's transaction is around it), who acts (told and taken back),
    # the lock, what is beside, the decision, the change.
    with django_assert_max_num_queries(10):
        services.decide(second.pk, submission(second, label="b"), actor=alice)


def test_it_returns_what_the_database_holds(alice: User) -> None:
    annotation = make_annotation(metadata={"old": 1})
    values = submission(
        annotation, label="b", confidence=1, payload={"b": 1e22, "a": [1.0]}, metadata={}
    )
    values.base["metadata"] = annotation.metadata
    decision = services.decide(annotation.pk, values, actor=alice)
    stored = Annotation.objects.get(pk=annotation.pk)
    assert repr(decision.annotation.values()) == repr(stored.values())
    assert (decision.annotation.metadata, stored.metadata) == ({}, {})
    assert (decision.annotation.decided_at, decision.annotation.status) == (
        stored.decided_at,
        stored.status,
    )


def test_it_is_told_in_order_by_history(alice: User) -> None:
    annotation = make_annotation()
    make_set_aside(annotation, alice)
    make_change(annotation, "conflict")
    last = Event.objects.order_by("-id")[0].pk
    services.decide(annotation.pk, submission(annotation, label="b"), actor=alice)
    actions = Event.objects.filter(pk__gt=last).order_by("id").values_list("action", flat=True)
    assert list(actions) == [
        "change.withdrawn",
        "annotation.resumed",
        "annotation.relabelled",
        "change.queued",
    ]


def test_it_reads_the_annotation_and_its_neighbours_as_the_database_holds_them(
    alice: User,
) -> None:
    annotation = make_annotation(**distinct_values(0), result=make_result())
    decide(annotation, alice, **distinct_values(1))
    stored = Annotation.objects.select_related("retriever", "result").get(pk=annotation.pk)

    for_form, used_label = get_for_decision(annotation.pk, label=stored.label) or (stored, None)
    assert used_label == stored.label
    for read in (lock_annotation(annotation.pk), for_form):
        deferred = read.get_deferred_fields()
        assert {*STORED_FIELDS, "ref", "decision_id"}.isdisjoint(deferred)
        for field in Annotation._meta.fields:
            name = field.attname
            if name not in deferred:
                assert getattr(read, name) == getattr(stored, name), name
        assert read.retriever == stored.retriever
        assert read.result == stored.result
