"""Runs that annotations name are read from Mixpeek, or noted as gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import Execution, Result
from reviewapp.sync.pull.run import pull
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db
RUNS = "/v1/retrievers/ret_vans/executions"
NOTHING_LISTED = {
    "path": f"{RUNS}/list",
    "status": 200,
    "body": {
        "results": [],
        "pagination": {"total": 0, "limit": 100, "offset": 0, "has_next": False},
    },
}


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes) -> Box:
    """A sandbox with a document that was annotated for a run which nobody knows of."""
    folder = write_data_folder(
        tmp_path,
        retrievers=[retriever_json()],
        documents=map(document_json, range(3)),
        annotations=[annotation_json(0, execution_id="exec_old"), annotation_json(1)],
    )
    return sandboxes.namespace(folder)


@pytest.fixture
def client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


def reads(box: Box) -> list[str]:
    return [request["path"] for request in box.received(method="GET", path=f"{RUNS}/")]


def test_it_notes_a_run_that_mixpeek_has_no_more_and_does_not_ask_again(
    box: Box, client: Client
) -> None:
    summary = pull(client=client)
    run = Execution.objects.get()
    assert (run.execution_id, run.status, run.is_gone, summary.executions.gone) == (
        "exec_old",
        "gone",
        True,
        1,
    )
    pull(client=client)
    assert reads(box) == [f"{RUNS}/exec_old"]


def test_it_reads_a_run_that_is_not_listed(box: Box, client: Client) -> None:
    created = box.call(
        "POST", "/v1/retrievers/ret_vans/execute", json={"inputs": {"query": "van"}}
    ).json()
    body = {"document_id": "doc_00002", "label": "van", "retriever_id": "ret_vans"}
    box.call("POST", "/v1/annotations", json={**body, "execution_id": created["execution_id"]})
    box.faults([NOTHING_LISTED])
    pull(client=client)
    run = Execution.objects.get(execution_id=created["execution_id"])
    assert (run.status, run.query_summary, run.total_returned) == (
        "completed",
        "most=500, query=van",
        3,
    )
    annotation = Annotation.objects.get(execution_id=created["execution_id"])
    assert annotation.result
    assert (annotation.result.execution, annotation.result.rank, annotation.title) == (
        None,
        None,
        "Van 2",
    )


def test_it_keeps_the_rank_where_mixpeek_kept_the_rows_and_makes_nobody_elses_rows_wait(
    box: Box, client: Client
) -> None:
    rows = [{"document_id": f"doc_0000{number}", "title": "Van", "score": 0.5} for number in (2, 0)]
    kept: dict[str, Any] = {"execution_id": "exec_old", "status": "completed", "documents": rows}
    box.faults(
        [
            {
                "method": "GET",
                "path": f"{RUNS}/exec_old",
                "status": 200,
                "body": {**kept, "inputs": {"query": "v"}},
            }
        ]
    )
    pull(client=client)
    result = Result.objects.get(execution__execution_id="exec_old")
    assert (result.document_id, result.rank, result.score) == ("doc_00000", 2, 0.5)
    assert result.execution and result.execution.inputs == {"query": "v"}
    assert Annotation.objects.get(execution_id="exec_old").result == result
    assert Annotation.objects.count() == 2


def test_it_goes_on_when_mixpeek_refuses_to_tell_of_a_run(box: Box, client: Client) -> None:
    box.faults([{"method": "GET", "path": f"{RUNS}/exec_old", "status": 422}])
    summary = pull(client=client)
    assert (summary.stopped, summary.documents.new, Execution.objects.count()) == ("", 2, 0)
    pull(client=client)
    assert len(reads(box)) == 2
