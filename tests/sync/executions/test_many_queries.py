"""Relevance judgements of a test collection: 225 queries, several labels for one document."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.retrievers.services import request_execution
from reviewapp.sync.deliver import drain
from reviewapp.sync.executions import run
from reviewapp.sync.pull.run import pull
from tests.decisions import decide
from tests.sandbox_data import (
    annotation_json,
    document_json,
    retriever_json,
    write_data_folder,
    write_lines,
)
from tests.sync.delivering import writes
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db
QUERIES, DOCUMENTS, JUDGED_FOR_EACH = 225, 60, 7
LABELS = ("complete", "high", "useful", "historical", "not relevant")
WORDS = (
    *(
        "wing",
        "flutter",
        "boundary",
        "layer",
        "heat",
        "transfer",
        "supersonic",
        "nozzle",
        "shock",
        "wave",
        "buckling",
    ),
    *(
        "cylinder",
        "panel",
        "slipstream",
        "propeller",
        "jet",
        "cone",
        "drag",
        "lift",
        "vortex",
        "plate",
        "hypersonic",
    ),
)


def query_of(number: int) -> str:
    """Return the text of a query: two words, and its number for those that would be alike."""
    pick = random.Random(f"query {number}")
    return f"{' '.join(pick.sample(WORDS, 2))} {number}"


def document(number: int) -> dict[str, Any]:
    pick = random.Random(f"document {number}")
    return document_json(
        number, title=f"Report {number}", text=f"On {' '.join(pick.sample(WORDS, 8))}."
    )


def judgements() -> Iterator[dict[str, Any]]:
    """Yield what people judged: some documents for each query, each judged for many of them."""
    for query in range(QUERIES):
        pick = random.Random(f"judged {query}")
        for document_number in sorted(pick.sample(range(DOCUMENTS), JUDGED_FOR_EACH)):
            yield annotation_json(
                document_number,
                annotation_id=f"ann_{query:03}_{document_number:02}",
                execution_id=f"exec_{query:03}",
                label=pick.choice(LABELS),
                confidence=None,
                actor_id="user_judge",
                actor_type="user",
            )


def execution(query: int) -> dict[str, Any]:
    return {
        "execution_id": f"exec_{query:03}",
        "retriever_id": "ret_vans",
        "status": "completed",
        "created_at": f"2026-01-02T{query // 60:02}:{query % 60:02}:00Z",
        "query_summary": f"query={query_of(query)}",
        "total_returned": DOCUMENTS,
    }


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes) -> Box:
    folder = write_data_folder(
        tmp_path,
        retrievers=[retriever_json(input_schema={"query": {"type": "string", "required": True}})],
        documents=map(document, range(DOCUMENTS)),
        annotations=judgements(),
    )
    write_lines(folder / "executions.jsonl", map(execution, range(QUERIES)))
    return sandboxes.namespace(folder)


@pytest.fixture
def client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


def ask(client: Client, query: str, actor: User) -> Execution:
    """Run the retriever with this query and return the run."""
    asked = request_execution(Retriever.objects.get(), {"query": query}, actor=actor)
    run.run_requested_executions(lambda: client)
    asked.refresh_from_db()
    assert asked.status == "completed", asked.error
    return asked


def standing(box: Box) -> dict[str, tuple[str, str, int]]:
    """Return what is judged upstream: execution, label and version by annotation id."""
    found: dict[str, tuple[str, str, int]] = {}
    while True:
        page = box.call("POST", f"/v1/annotations/list?skip={len(found)}&limit=500").json()[
            "results"
        ]
        found |= {
            row["annotation_id"]: (row["execution_id"], row["label"], row["version"])
            for row in page
        }
        if len(page) < 500:
            return found


def test_it_keeps_every_judgement_with_its_own_query(
    box: Box, client: Client, lena: User, alice: User
) -> None:
    pull(client=client)
    before = standing(box)
    mirrored = dict(Annotation.objects.values_list("annotation_id", "label"))
    assert len(before) == len(mirrored) == QUERIES * JUDGED_FOR_EACH
    labels = defaultdict(set)
    for document_id, label in Annotation.objects.values_list("document_id", "label"):
        labels[document_id].add(label)
    assert all(len(different) > 1 for different in labels.values())
    assert set(Execution.objects.values_list("execution_id", flat=True)) == {
        f"exec_{n:03}" for n in range(QUERIES)
    }

    first, second = (
        ask(client, query, lena) for query in ("boundary layer heat", "supersonic nozzle heat")
    )
    again = ask(client, "boundary layer heat", lena)

    # No judgement moved, and each run has a place of its own for each document, but for the query
    # asked twice.
    judged = Annotation.objects.filter(annotation_id__in=before)
    assert dict(judged.values_list("annotation_id", "label")) == mirrored
    assert not judged.filter(result__execution__isnull=False).exists()
    named = Annotation.objects.exclude(execution_id="").filter(result__execution__isnull=False)
    assert not named.exclude(result__execution__execution_id=F("execution_id")).exists()
    waiting = Annotation.objects.filter(annotation_id__isnull=True)
    assert set(waiting.values_list("execution_id", flat=True)) == {
        again.execution_id,
        second.execution_id,
    }
    assert waiting.count() == first.results.count() + second.results.count()

    # One document, judged differently for two queries: both come to stand upstream, beside what
    # stood there.
    document_id = (
        waiting.filter(execution_id=second.execution_id)
        .filter(
            document_id__in=waiting.filter(execution_id=again.execution_id).values("document_id")
        )
        .values_list("document_id", flat=True)[0]
    )
    box.clear()
    decisions = {again.execution_id: "complete", second.execution_id: "not relevant"}
    for execution_id, label in decisions.items():
        decide(waiting.get(execution_id=execution_id, document_id=document_id), alice, label=label)
    drain.drain(client)
    assert [method for method, _ in writes(box)] == ["POST", "POST"]
    after = standing(box)
    assert {id_: after[id_] for id_ in before} == before
    made = [row for id_, row in after.items() if id_ not in before]
    assert sorted((execution_id, label) for execution_id, label, _ in made) == sorted(
        decisions.items()
    )
    pull(client=client)
    assert (
        Annotation.objects.filter(document_id=document_id, execution_id__in=decisions).count() == 2
    )
