"""A run that somebody asked for, made over a real socket: once, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.retrievers.services import request_execution
from reviewapp.sync.executions import run
from reviewapp.sync.pull.run import pull
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db
EXECUTE = "/v1/retrievers/ret_vans/execute"


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    folder = tmp_path_factory.mktemp("runs")
    write_data_folder(
        folder,
        retrievers=[retriever_json()],
        documents=map(document_json, range(12)),
        annotations=map(annotation_json, range(3)),
    )
    return sandboxes.namespace(folder)


@pytest.fixture
def box(shared_box: Box) -> Box:
    shared_box.clear()
    return shared_box


@pytest.fixture
def client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


@pytest.fixture
def asked(client: Client, lena: User) -> Execution:
    """A run for vans that the lead asked for, after a pull."""
    pull(client=client)
    return request_execution(Retriever.objects.get(), {"query": "van"}, actor=lena)


def make(client: Client, asked: Execution) -> Execution:
    run.run_requested_executions(lambda: client)
    asked.refresh_from_db()
    return asked


def answer(**values: Any) -> dict[str, Any]:
    body = {
        "execution_id": "exec_scripted",
        "status": "completed",
        "documents": [],
        "pagination": {},
    } | values
    return {"path": EXECUTE, "status": 200, "body": body}


def test_it_keeps_the_run_and_its_rows(client: Client, asked: Execution) -> None:
    made = make(client, asked)
    assert (made.status, made.error, made.total_returned) == ("completed", "", 12)
    assert made.execution_id
    assert made.completed_at
    rows = list(Result.objects.of(made))
    assert [row.rank for row in rows] == list(range(1, 13))
    assert all(row.score and len(row.digest) == 64 and row.snapshot["title"] for row in rows)


def test_it_joins_what_is_annotated_and_queues_what_is_not(
    client: Client, asked: Execution
) -> None:
    assert Annotation.objects.count() == 3
    make(client, asked)
    assert Annotation.objects.count() == 12
    known = Annotation.objects.get(annotation_id="ann_00001")
    assert known.result is not None
    assert (known.result.execution, known.label) == (asked, "logo")
    assert Annotation.objects.filter(annotation_id__isnull=True).count() == 9


def test_it_makes_a_run_once(box: Box, client: Client, asked: Execution) -> None:
    make(client, asked)
    assert run.run_requested_executions(lambda: client) == 0
    assert len(box.received(path=EXECUTE)) == 1


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"status": 422}, ""),
        ({"status": 503}, ""),
        ({"drop": "after"}, "It is not known whether the run was made"),
        ({"status": 200, "body": "<html>"}, "It is not known whether the run was made"),
    ],
    ids=["refused", "down", "dropped", "html"],
)
def test_it_says_why_a_run_failed_and_does_not_repeat_it(
    box: Box, client: Client, asked: Execution, fault: dict[str, Any], sentence: str
) -> None:
    box.faults([{"path": EXECUTE, **fault}])
    made = make(client, asked)
    assert made.status == "failed"
    assert made.error
    assert sentence in made.error
    assert run.run_requested_executions(lambda: client) == 0
    assert len(box.received(path=EXECUTE)) == 1


def test_it_does_not_repeat_a_run_whose_answer_came_too_late(
    box: Box, client: Client, asked: Execution
) -> None:
    box.faults([{"path": EXECUTE, "apply": True, "delay": 60}])
    timeout = (60.0, 2.0)
    with Client(
        base_url=box.url, api_key=box.key, namespace=box.namespace, execute_timeout=timeout
    ) as impatient:
        made = make(impatient, asked)
    assert made.status == "failed"
    assert made.error
    assert "It is not known whether the run was made" in made.error
    assert run.run_requested_executions(lambda: client) == 0
    assert len(box.received(path=EXECUTE)) == 1


def test_it_keeps_a_failure_that_came_with_success(
    box: Box, client: Client, asked: Execution
) -> None:
    box.faults([answer(status="failed", error="Out of credits")])
    made = make(client, asked)
    assert (made.status, made.error, made.total_returned) == ("failed", "Out of credits", 0)


def test_it_keeps_warnings_and_degradations(box: Box, client: Client, asked: Execution) -> None:
    box.faults(
        [
            answer(
                status="degraded",
                warnings=["Slow"],
                degraded=[{"stage": "rerank"}],
                documents=[{"a": 1}],
            )
        ]
    )
    made = make(client, asked)
    assert (made.status, made.degraded) == ("degraded", [{"stage": "rerank"}])
    assert made.warnings == ["Slow", "1 rows have no usable document_id and are left out."]


@pytest.mark.parametrize("status", ["requested", "REQUESTED", "gone"])
def test_it_makes_no_run_again_whose_status_is_one_of_ours(
    box: Box, client: Client, asked: Execution, status: str
) -> None:
    box.faults([answer(status=status, documents=[{"document_id": "a"}])])
    made = make(client, asked)
    assert (made.status, made.total_returned) == ("unknown", 1)
    Execution.objects.update(claimed_at=None)
    assert run.run_requested_executions(lambda: client) == 0
    assert len(box.received(path=EXECUTE)) == 1


def test_it_keeps_rows_whose_numbers_no_column_can_hold(
    box: Box, client: Client, asked: Execution
) -> None:
    huge = 10**400
    documents = [{"document_id": "a", "score": huge}, {"document_id": "b", "score": 0.5}]
    box.faults([answer(documents=documents, stage_statistics={"total_time_ms": huge})])
    made = make(client, asked)
    assert (made.status, made.total_returned) == ("completed", 2)
    assert made.duration_ms is not None
    assert made.duration_ms < 60_000
    assert list(Result.objects.of(made).values_list("score", flat=True)) == [None, 0.5]


def test_it_follows_pages_and_keeps_the_better_rank_of_a_repeated_document(
    box: Box, client: Client, asked: Execution
) -> None:
    documents = [{"document_id": name, "score": 0.5} for name in ("a", "b", "a")]
    box.faults(
        [
            answer(documents=documents[:2], pagination={"has_next": True, "cursor": "next"}),
            answer(documents=documents[2:]),
        ]
    )
    made = make(client, asked)
    assert list(Result.objects.of(made).values_list("document_id", "rank")) == [("a", 1), ("b", 2)]
    assert made.warnings == ["1 rows repeat a document and are left out."]
    assert box.received(path=EXECUTE)[1]["body"]["pagination"]["cursor"] == "next"


def test_it_keeps_the_first_page_when_the_second_fails(
    box: Box, client: Client, asked: Execution
) -> None:
    pages = {"has_next": True, "cursor": "next"}
    box.faults(
        [
            answer(documents=[{"document_id": "a"}], pagination=pages),
            {"path": EXECUTE, "status": 503},
        ]
    )
    made = make(client, asked)
    assert (made.status, made.total_returned) == ("completed", 1)
    assert made.warnings[0].startswith("Only the first 1 rows arrived: ")


def test_it_leaves_an_older_runs_rows_alone_when_mixpeek_answers_from_its_cache(
    box: Box, client: Client, asked: Execution, lena: User
) -> None:
    first = make(client, asked)
    again = request_execution(asked.retriever, {"query": "van"}, actor=lena)
    box.faults([answer(execution_id=first.execution_id, documents=[{"document_id": "a"}])])
    made = make(client, again)
    assert (made.status, made.execution_id) == ("completed", None)
    assert made.warnings == [f"Mixpeek answered from its cache, with the run {first.execution_id}."]
    assert Result.objects.of(first).count() == 12


def test_it_takes_over_the_bare_row_that_a_pull_met_first(
    box: Box, client: Client, asked: Execution
) -> None:
    Execution.objects.create(
        retriever=asked.retriever,
        execution_id="exec_scripted",
        status="completed",
        created_at=timezone.now(),
    )
    box.faults([answer(documents=[{"document_id": "a"}])])
    assert make(client, asked).execution_id == "exec_scripted"
    assert Execution.objects.filter(execution_id="exec_scripted").count() == 1


def test_it_gives_up_a_run_whose_worker_died_and_sends_nothing(
    box: Box, client: Client, asked: Execution
) -> None:
    Execution.objects.filter(pk=asked.pk).update(claimed_at=timezone.now() - timedelta(hours=1))
    made = make(client, asked)
    assert made.status == "failed"
    assert "The worker stopped" in made.error
    assert not box.received(path=EXECUTE)


def test_it_leaves_a_run_to_the_worker_that_has_it(
    box: Box, client: Client, asked: Execution
) -> None:
    Execution.objects.filter(pk=asked.pk).update(claimed_at=timezone.now())
    assert make(client, asked).status == Execution.REQUESTED
    assert not box.received(path=EXECUTE)


def test_it_runs_from_the_command_line(box: Box, client: Client, settings: Settings) -> None:
    configure(settings, box)
    out = StringIO()
    call_command("run_retriever", "vans", "query=van", "kind=scan", stdout=out)
    made = Execution.objects.get()
    assert made.inputs == {"query": "van", "most": 500, "kind": "scan"}
    lines = out.getvalue().splitlines()
    assert lines[0] == f"{made.execution_id}: completed, 12 results"
    assert lines[1].split()[0] == "1"
    assert len(lines) == 13


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["vans"], "query: This field is required"),
        (
            ["vans", "query=a", "colour=b"],
            "vans has no input 'colour'; its inputs are: query, kind, most",
        ),
        (["vans", "query"], "'query' is not key=value"),
        (["vans", "query=a", "most=b"], "most: Enter a whole number"),
        (["lorries"], "There is no retriever 'lorries' here, and Mixpeek says"),
    ],
)
def test_it_says_in_one_sentence_what_is_wrong_with_a_command(
    box: Box, settings: Settings, arguments: list[str], sentence: str
) -> None:
    configure(settings, box)
    with pytest.raises(CommandError, match=sentence):
        call_command("run_retriever", *arguments)
    assert not Execution.objects.exists()


def configure(settings: Settings, box: Box) -> None:
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY = box.url, box.key
    settings.MIXPEEK_NAMESPACE = box.namespace
