"""The migration that puts annotations back which showed the result of another query."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.retrievers.documents.snapshot import digest
from reviewapp.retrievers.models import Execution, Result
from tests.factories import make_annotation, make_execution, make_result, make_retriever

pytestmark = pytest.mark.django_db
_MIGRATION = import_module("reviewapp.annotations.migrations.0007_per_execution")
_SNAPSHOT = {"title": "A mill", "text": "By the river."}


@pytest.fixture
def runs() -> tuple[Execution, Execution]:
    """Two runs of one retriever, with different inputs."""
    retriever = make_retriever()
    return tuple(  # type: ignore[return-value]
        make_execution(retriever, execution_id=f"exec_{query}", inputs={"query": query})
        for query in ("mill", "river")
    )


def returned(execution: Execution, rank: int, **values: Any) -> Result:
    snapshot = {**_SNAPSHOT, "score": 1 / rank}
    fields = {
        "document_id": "doc_1",
        "score": 1 / rank,
        "snapshot": snapshot,
        "digest": digest(snapshot),
    }
    return make_result(execution.retriever, execution=execution, rank=rank, **fields | values)


def mislead(execution: Execution, result: Result, **values: Any) -> Annotation:
    """Return an annotation of this execution that shows the result of another."""
    fields = {
        "document_id": "doc_1",
        "execution_id": execution.execution_id,
        "result": result,
        "score": result.score,
    }
    return make_annotation(execution.retriever, title="Of another query", **fields | values)


def decided(annotation: Annotation, by: User, result: Result) -> Decision:
    decision = Decision.objects.create(
        decision_id=uuid.uuid4(),
        annotation=annotation,
        reviewer=by,
        outcome="decided",
        label=annotation.label,
        reasoning="",
        payload={},
        base={},
        result=result,
    )
    Annotation.objects.filter(pk=annotation.pk).update(decision=decision, status="decided")
    return decision


@pytest.fixture
def rejoin(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Put the annotations back, and return the lines that were printed."""

    def run() -> list[str]:
        capsys.readouterr()
        # As it was when the migration ran: results were not guarded yet.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE retrievers_result DISABLE TRIGGER USER")
            _MIGRATION.rejoin(apps, None)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE retrievers_result ENABLE TRIGGER USER")
        return [line for line in capsys.readouterr().out.splitlines() if line]

    return run


def test_it_puts_an_annotation_back_to_the_result_of_its_own_run(
    runs: tuple[Execution, Execution], rejoin: Callable[[], list[str]]
) -> None:
    mill, river = runs
    own, other = returned(mill, 1), returned(river, 5)
    annotation = mislead(mill, other)
    right = make_annotation(
        river.retriever, document_id="doc_1", execution_id="exec_river", result=other
    )
    lines = rejoin()
    annotation.refresh_from_db()
    right.refresh_from_db()
    assert (annotation.result, annotation.score, annotation.title, right.result) == (
        own,
        1.0,
        "A mill",
        other,
    )
    assert "By the river." in annotation.words
    assert lines == [
        "Annotations that showed the result of another query, put back: 1.",
        f"  {annotation.ref}: result of exec_river, rank 5 -> result of exec_mill, rank 1",
    ]
    assert rejoin() == []


def test_it_keeps_the_document_alone_where_the_own_run_is_not_here(
    runs: tuple[Execution, Execution], rejoin: Callable[[], list[str]]
) -> None:
    _, river = runs
    other = returned(river, 5)
    gone = make_execution(river.retriever, execution_id="exec_forgotten")
    rows = [mislead(gone, other), mislead(gone, other, label="second")]
    lines = rejoin()
    other.refresh_from_db()
    alone = Result.objects.get(execution=None)
    assert {row.result for row in Annotation.objects.filter(pk__in=[row.pk for row in rows])} == {
        alone
    }
    assert (alone.retriever, alone.rank, alone.score, alone.snapshot) == (
        None,
        None,
        None,
        _SNAPSHOT,
    )
    assert (alone.digest, alone.created_at) == (digest(_SNAPSHOT), other.created_at)
    assert lines[1] == f"  {rows[0].ref}: result of exec_river, rank 5 -> the document alone"


def test_it_puts_a_decided_annotation_that_names_no_run_back_to_what_was_decided_on(
    runs: tuple[Execution, Execution], rejoin: Callable[[], list[str]], alice: User
) -> None:
    mill, river = runs
    seen, later = returned(mill, 1), returned(river, 5)
    annotation = mislead(river, later, execution_id="")
    waiting = mislead(river, later, execution_id="")
    decided(annotation, alice, seen)
    rejoin()
    annotation.refresh_from_db()
    waiting.refresh_from_db()
    assert (annotation.result, waiting.result) == (seen, later)


def test_it_names_the_decisions_that_were_made_on_another_querys_result(
    runs: tuple[Execution, Execution], rejoin: Callable[[], list[str]], alice: User
) -> None:
    mill, river = runs
    own, other = returned(mill, 1), returned(river, 5)
    annotation = mislead(mill, own)
    decided(annotation, alice, other)
    assert rejoin() == [
        "Decisions made while the result of another query was shown; look at them again: 1.",
        f"  {annotation.ref} of exec_mill: decided by alice on the result of exec_river",
    ]
    annotation.refresh_from_db()
    assert annotation.result == own


@pytest.mark.slow
@pytest.mark.long
def test_it_can_be_taken_back_and_keeps_one_untouched_row(
    runs: tuple[Execution, Execution],
) -> None:
    rows = [
        make_annotation(
            run.retriever,
            annotation_id=None,
            document_id="doc_1",
            execution_id=run.execution_id,
            label="",
        )
        for run in runs
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    executor.migrate([("annotations", "0005_confirmed_means_nothing_changed")])
    assert [row.pk for row in Annotation.objects.only("pk")] == [rows[1].pk]
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    make_annotation(
        runs[0].retriever,
        annotation_id=None,
        document_id="doc_1",
        execution_id="exec_mill",
        label="",
    )
    assert Annotation.objects.count() == 2
