"""Several people and the machine change one item at once: one lock order, no decision twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.exceptions import DecisionIdTaken
from reviewapp.annotations.decide.skip import put_aside
from reviewapp.annotations.decide.undo import DecidedAgain, undo
from reviewapp.annotations.mirror.absorb import absorb, attach_results
from reviewapp.annotations.models import Annotation, Decision, Lease, SetAside
from reviewapp.mixpeek.records import AnnotationRecord
from tests.annotations.racing import at_once, start
from tests.decisions import submission
from tests.factories import make_annotation, make_lease, make_result, make_retriever, make_set_aside

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_refuses_a_decision_id_that_is_just_being_used_for_another_item(alice: User) -> None:
    first, second = make_annotation(), make_annotation()
    sent = submission(first, label="no logo")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            services.decide(first.pk, sent, actor=alice)
            later = start(pool, lambda: services.decide(second.pk, sent, actor=alice))
        assert isinstance(later.exception(), DecisionIdTaken)
    assert Decision.objects.get().annotation == first


def test_it_makes_one_decision_of_two_tabs_that_send_the_same(alice: User) -> None:
    annotation = make_annotation()
    sent = submission(annotation, label="no logo")
    works = [lambda: services.decide(annotation.pk, sent, actor=alice)] * 4
    assert at_once(*works) == [Decision.objects.get()] * 4


def test_it_names_who_decided_again_while_an_undo_waited(alice: User, bob: User) -> None:
    annotation = make_annotation()
    first = services.decide(annotation.pk, submission(annotation, label="no logo"), actor=alice)
    annotation.refresh_from_db()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            again = submission(annotation, label="unclear")
            second = services.decide(annotation.pk, again, actor=bob)
            undoing = start(pool, lambda: undo(first.pk, actor=alice))
        refusal = undoing.exception()
    assert isinstance(refusal, DecidedAgain)
    assert refusal.standing == second


def test_it_keeps_the_evidence_that_was_attached_while_a_decision_waited(alice: User) -> None:
    annotation = make_annotation()
    sent = submission(annotation, label="no logo")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            result = make_result(annotation.retriever, document_id=annotation.document_id)
            Annotation.objects.filter(pk=annotation.pk).update(result=result)
            deciding = start(pool, lambda: services.decide(annotation.pk, sent, actor=alice))
        decision = deciding.result()
    assert Decision.objects.get(pk=decision.pk).result == result


def test_it_decides_and_defers_at_once_without_a_deadlock(alice: User) -> None:
    annotation = make_annotation()
    make_lease(annotation, alice)
    make_set_aside(annotation, alice)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Annotation.objects.select_for_update().get(pk=annotation.pk)
            Lease.objects.filter(annotation=annotation).delete()
            deferring = start(
                pool, lambda: put_aside(annotation, SetAside.Kind.SKIPPED, actor=alice)
            )
            SetAside.objects.filter(annotation=annotation).delete()
        assert deferring.exception() is None


def test_it_pulls_and_takes_in_a_run_at_once_without_a_deadlock() -> None:
    retriever = make_retriever()
    free = make_annotation(retriever, annotation_id=None, document_id="doc_free", label="")
    known = make_annotation(retriever, annotation_id="ann_known", document_id="doc_known")
    values: dict[str, Any] = {
        "namespace_id": "ns",
        "label": "logo",
        "retriever_id": retriever.retriever_id,
    }
    records = [
        AnnotationRecord(annotation_id="ann_known", document_id="doc_known", version=2, **values),
        AnnotationRecord(annotation_id="ann_new", document_id="doc_free", version=1, **values),
    ]
    results = [make_result(retriever, document_id=row.document_id) for row in (free, known)]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Annotation.objects.select_for_update().get(pk=free.pk)
            pulling = start(pool, lambda: absorb(records))
            attach_results(results)
        assert pulling.exception() is None
    free.refresh_from_db()
    assert free.annotation_id == "ann_new"
