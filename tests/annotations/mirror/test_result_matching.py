"""Which annotations a run's results are shown on: those of that run, and those that name no run."""

from __future__ import annotations

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.create import Place, annotate, get_or_create_item
from reviewapp.annotations.decide.services import decide
from reviewapp.annotations.mirror.absorb import absorb, attach_results
from reviewapp.annotations.models import Annotation
from reviewapp.audit.models import Event
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.retrievers.models import Execution, Result, Retriever
from tests.decisions import submission
from tests.factories import make_annotation, make_execution, make_result, make_retriever

pytestmark = pytest.mark.django_db


@pytest.fixture
def retriever() -> Retriever:
    return make_retriever(input_schema={"query": {"type": "string", "required": True}})


@pytest.fixture
def vans(retriever: Retriever) -> Execution:
    """A run that asked for vans."""
    return make_execution(retriever, inputs={"query": "van"})


@pytest.fixture
def boats(retriever: Retriever) -> Execution:
    """A run of the same retriever that asked for boats."""
    return make_execution(retriever, inputs={"query": "boat"})


def returned(execution: Execution, rank: int = 1, document_id: str = "doc_1") -> Result:
    """Return a stored result of this run."""
    return make_result(
        execution.retriever,
        execution=execution,
        document_id=document_id,
        rank=rank,
        score=1 / (rank + 1),
    )


def annotated(execution: Execution, **values: object) -> Annotation:
    """Return an annotation of doc_1 that names this run."""
    defaults = {"document_id": "doc_1", "execution_id": execution.execution_id}
    return make_annotation(execution.retriever, **defaults | values)


def record(
    execution_id: str | None, retriever: Retriever, annotation_id: str = "ann_new"
) -> AnnotationRecord:
    return AnnotationRecord(
        annotation_id=annotation_id,
        document_id="doc_1",
        namespace_id="ns",
        label="historical",
        retriever_id=retriever.retriever_id,
        execution_id=execution_id,
        version=1,
    )


@pytest.mark.parametrize("status", ["waiting", "decided", "undecidable"])
def test_it_leaves_an_annotation_of_another_query_as_it_is(
    vans: Execution, boats: Execution, status: str
) -> None:
    own = returned(vans, rank=2)
    annotation = annotated(vans, status=status, result=own, score=own.score)
    other = returned(boats, rank=7)
    assert attach_results([other]) == 1
    annotation.refresh_from_db()
    assert (annotation.result, annotation.score, annotation.execution_id) == (
        own,
        own.score,
        vans.execution_id,
    )
    waiting = Annotation.objects.exclude(pk=annotation.pk).get()
    assert (waiting.result, waiting.execution_id, waiting.status) == (
        other,
        boats.execution_id,
        "waiting",
    )
    assert (waiting.annotation_id, waiting.label) == (None, "")


def test_it_shows_a_result_on_the_annotations_of_its_own_run_also_decided_ones(
    vans: Execution,
) -> None:
    rows = [annotated(vans, status="decided"), annotated(vans, label="other")]
    own = returned(vans)
    assert attach_results([own]) == 0
    assert set(Annotation.objects.values_list("pk", "result")) == {(row.pk, own.pk) for row in rows}


def test_it_shows_the_newest_result_on_what_waits_and_names_no_run(
    vans: Execution, boats: Execution
) -> None:
    annotation = make_annotation(vans.retriever, document_id="doc_1")
    for result in (returned(vans), returned(boats)):
        assert attach_results([result]) == 0
        annotation.refresh_from_db()
        assert (annotation.result, annotation.execution_id) == (result, "")


def test_it_leaves_a_decided_annotation_alone_that_names_no_run(
    vans: Execution, boats: Execution
) -> None:
    annotation = make_annotation(
        vans.retriever, document_id="doc_1", status="decided", result=returned(vans)
    )
    assert attach_results([returned(boats)]) == 1
    annotation.refresh_from_db()
    assert annotation.result and annotation.result.execution == vans


def test_it_lets_one_document_wait_once_for_each_query(vans: Execution, boats: Execution) -> None:
    assert attach_results([returned(vans)]) == 1
    assert attach_results([returned(boats)]) == 1
    assert set(Annotation.objects.values_list("execution_id", flat=True)) == {
        vans.execution_id,
        boats.execution_id,
    }


def test_it_moves_what_nobody_has_annotated_to_a_newer_run_of_the_same_query(
    vans: Execution,
) -> None:
    attach_results([returned(vans)])
    again = make_execution(vans.retriever, inputs={"query": "van"})
    newer = returned(again, rank=3)
    assert attach_results([newer]) == 0
    row = Annotation.objects.get()
    assert (row.result, row.execution_id) == (newer, again.execution_id)


def test_it_asks_for_no_second_judgement_of_the_same_query(vans: Execution) -> None:
    own = returned(vans)
    annotation = annotated(vans, status="decided", result=own)
    again = make_execution(vans.retriever, inputs={"query": "van"})
    assert attach_results([returned(again)]) == 0
    annotation.refresh_from_db()
    assert (annotation.result, annotation.execution_id) == (own, vans.execution_id)


def test_it_does_not_take_two_runs_with_unknown_inputs_for_one_query(retriever: Retriever) -> None:
    unknown, other = (make_execution(retriever, inputs={}) for _ in range(2))
    annotated(unknown, status="decided")
    assert attach_results([returned(other)]) == 1


def test_it_takes_all_runs_of_a_retriever_without_inputs_for_one_query() -> None:
    retriever = make_retriever(input_schema={})
    first, second = (make_execution(retriever, inputs={}) for _ in range(2))
    assert (attach_results([returned(first)]), attach_results([returned(second)])) == (1, 0)


def test_it_shows_a_new_annotation_with_the_result_of_its_own_run(
    vans: Execution, boats: Execution
) -> None:
    own = returned(vans, rank=4)
    returned(boats)
    absorb([record(vans.execution_id, vans.retriever)])
    row = Annotation.objects.get()
    assert (row.result, row.score, row.title) == (own, own.score, own.snapshot["title"])


def test_it_fills_only_the_row_that_waits_for_the_same_run(
    vans: Execution, boats: Execution
) -> None:
    attach_results([returned(vans)])
    attach_results([returned(boats)])
    refs = dict(Annotation.objects.values_list("execution_id", "ref"))
    absorb([record(boats.execution_id, boats.retriever)])
    absorb([record(None, boats.retriever, "ann_of_no_run")])
    filled = Annotation.objects.get(annotation_id="ann_new")
    assert (filled.ref, filled.execution_id) == (refs[boats.execution_id or ""], boats.execution_id)
    assert Annotation.objects.get(execution_id=vans.execution_id).annotation_id is None
    assert Annotation.objects.get(execution_id="").annotation_id == "ann_of_no_run"


def test_it_decides_for_one_query_and_leaves_the_other(
    vans: Execution, boats: Execution, alice: User
) -> None:
    judged = annotated(vans, label="historical", status="decided", result=returned(vans))
    attach_results([returned(boats)])
    waiting = Annotation.objects.get(execution_id=boats.execution_id)
    decide(waiting.pk, submission(waiting, label="modern"), actor=alice)
    judged.refresh_from_db()
    waiting.refresh_from_db()
    assert (judged.label, waiting.label) == ("historical", "modern")


def test_it_makes_an_item_for_a_result_that_has_none(
    vans: Execution, boats: Execution, alice: User
) -> None:
    annotated(vans, status="decided", result=returned(vans))
    result = returned(boats)
    item = get_or_create_item(result, actor=alice)
    assert (item.result, item.execution_id, item.status) == (result, boats.execution_id, "waiting")
    assert get_or_create_item(result, actor=alice) == item
    event = Event.objects.about(item.ref).get()
    assert (event.actor_name, event.note) == ("alice", "to judge it for another query")


def test_it_leads_to_the_judgement_of_an_earlier_run_of_the_query(
    vans: Execution, alice: User
) -> None:
    judged = annotated(vans, status="decided", result=returned(vans))
    again = make_execution(vans.retriever, inputs={"query": "van"})
    assert get_or_create_item(returned(again), actor=alice) == judged


def test_it_judges_no_document_without_a_run(alice: User) -> None:
    with pytest.raises(ValueError, match="of no query"):
        get_or_create_item(make_result(None), actor=alice)


def test_it_annotates_the_waiting_result_of_the_run_that_a_script_names(
    vans: Execution, boats: Execution, alice: User
) -> None:
    attach_results([returned(vans)])
    attach_results([returned(boats)])
    blank = make_annotation(label="")
    place = Place(
        document_id="doc_1", retriever=boats.retriever, execution_id=boats.execution_id or ""
    )
    decision = annotate(place, submission(blank, label="boat"), actor=alice)
    assert decision.annotation == Annotation.objects.get(execution_id=boats.execution_id)
    assert Annotation.objects.get(execution_id=vans.execution_id).status == "waiting"
