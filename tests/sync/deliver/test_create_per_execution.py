"""A decision on a run's result creates that run's annotation, whatever other runs have."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.sync.deliver import drain
from tests.decisions import queue_decision
from tests.sync.delivering import upstream
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(mirrored_retriever: Retriever) -> Annotation:
    """A result of the run exec_boats that nobody has annotated."""
    run = Execution.objects.create(
        retriever=mirrored_retriever,
        execution_id="exec_boats",
        inputs={"query": "boats"},
        created_at=timezone.now(),
    )
    result = Result.objects.create(
        retriever=mirrored_retriever,
        execution=run,
        document_id=f"doc_boat_{uuid.uuid4().hex}",
        snapshot={"title": "Van"},
        digest="0",
    )
    absorb.attach_results([result])
    return Annotation.objects.get(result=result)


def theirs(box: Box, waiting: Annotation, **values: Any) -> str:
    """Annotate the same document for the same retriever, and return the annotation's id."""
    body = {"document_id": waiting.document_id, "retriever_id": "ret_logos", "label": "historical"}
    return str(box.call("POST", "/v1/annotations", json=body | values).json()["annotation_id"])


def listed(box: Box, waiting: Annotation) -> dict[str, tuple[str | None, str]]:
    """Return execution and label of all that stands upstream on the document, by id."""
    rows = box.call(
        "POST", "/v1/annotations/list", json={"document_id": waiting.document_id}
    ).json()["results"]
    return {row["annotation_id"]: (row["execution_id"], row["label"]) for row in rows}


@pytest.mark.parametrize(
    "execution", [{"execution_id": "exec_vans"}, {}], ids=["another query", "no query"]
)
@pytest.mark.parametrize("pulled", [True, False])
def test_it_creates_beside_what_was_judged_for_another_query(
    waiting: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
    execution: dict[str, str],
    pulled: bool,
) -> None:
    other = theirs(box, waiting, **execution)
    if pulled:
        absorb.absorb([mixpeek_client.get_annotation(other)])
    change = queue_decision(waiting, alice, label="boat")
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.raced) == ("delivered", None)
    created_id = upstream(box, waiting)["annotation_id"]
    assert listed(box, waiting) == {
        other: (execution.get("execution_id"), "historical"),
        created_id: ("exec_boats", "boat"),
    }


@pytest.mark.parametrize("who", ["metadata", "none"])
def test_it_finds_its_own_create_again_when_the_answer_was_lost(
    waiting: Annotation, alice: User, box: Box, mixpeek_client: Client, settings: Settings, who: str
) -> None:
    settings.MIXPEEK_WHO = who
    theirs(box, waiting, execution_id="exec_vans")
    change = queue_decision(waiting, alice, label="boat")
    box.faults([{"method": "POST", "path": "^/v1/annotations$", "drop": "after"}])
    drain.drain(mixpeek_client)
    again = claims.claim(timezone.now() + timedelta(minutes=10))
    assert again is not None
    drain.attempt(again, mixpeek_client)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert sorted(listed(box, waiting).values()) == [
        ("exec_boats", "boat"),
        ("exec_vans", "historical"),
    ]


def test_it_asks_a_person_when_somebody_judged_the_same_run(
    waiting: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(waiting, alice, label="boat")
    made = theirs(box, waiting, execution_id="exec_boats")
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    waiting.refresh_from_db()
    assert (change.state, waiting.annotation_id, waiting.label) == ("conflict", made, "historical")
