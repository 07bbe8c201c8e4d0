"""Provenance for a server without metadata: in the payload, or not at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Result, Retriever
from reviewapp.sync.deliver import drain, settle
from reviewapp.sync.deliver.bulk import deliver_plan as deliver_in_bulk
from reviewapp.sync.deliver.bulk_plan import BulkPlan, Listing
from tests.decisions import decide, queue_decision
from tests.sandbox_data import document_json, retriever_json, write_data_folder
from tests.sync.delivering import upstream as read
from tests.sync.delivering import writes
from tests.tools.sandbox.running import Box, SharedSandboxes
from tools.sandbox.dialect import OLD

pytestmark = pytest.mark.django_db
_MANY = 40
_numbers = itertools.count()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    """A sandbox of the older dialect with documents for every test."""
    folder = write_data_folder(
        tmp_path_factory.mktemp("old"),
        retrievers=[retriever_json()],
        documents=[document_json(number) for number in range(_MANY)],
    )
    return sandboxes.namespace(folder, dialect=OLD)


@pytest.fixture
def box(old: Box) -> Iterator[Box]:
    old.clear()
    yield old
    old.clear()


@pytest.fixture(params=["metadata", "payload", "none"])
def where(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Each place in which who decided could be told."""
    settings.MIXPEEK_WHO = request.param
    return str(request.param)


@pytest.fixture
def mirrored_retriever(db: None) -> Retriever:
    return Retriever.objects.create(retriever_id="ret_vans", name="vans", seen_at=timezone.now())


@pytest.fixture
def annotation(mixpeek_client: Client, mirrored_retriever: Retriever, box: Box) -> Annotation:
    record = mixpeek_client.create_annotation(
        document_id=f"doc_{next(_numbers):05}",
        label="logo",
        retriever_id="ret_vans",
        payload={"theirs": 1},
    )
    absorb.absorb([record])
    box.clear()
    return Annotation.objects.get(annotation_id=record.annotation_id)


def expected_stamp(change: Change, where: str) -> dict[str, Any]:
    """Return what is said of who decided, beside what is there."""
    time = change.created_at.isoformat(timespec="seconds")
    stamp = {"decision_id": str(change.cause), "reviewer": change.actor_pseudonym, "time": time}
    return {"reviewapp": stamp} if where == "payload" else {}


def is_nobodys_edit(annotation: Annotation, box: Box) -> bool:
    shown = read(box, annotation)
    return "metadata" not in shown and "reviewapp" not in annotation.payload


def test_it_rides_on_a_patch_in_the_payload_only(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    drain.drain(mixpeek_client)
    stamp = expected_stamp(change, where)
    assert writes(box) == [
        ("PATCH", {"label": "no logo", **({"payload": {"theirs": 1, **stamp}} if stamp else {})})
    ]
    change.refresh_from_db()
    assert (change.state, change.merged, change.raced, change.version) == (
        "delivered",
        None,
        None,
        None,
    )
    assert is_nobodys_edit(annotation, box)


def test_it_rides_on_a_create_in_the_payload_only(
    where: str, mirrored_retriever: Retriever, alice: User, box: Box, mixpeek_client: Client
) -> None:
    document_id = f"doc_{next(_numbers):05}"
    result = Result.objects.create(
        retriever=mirrored_retriever, document_id=document_id, snapshot={"title": "Van"}, digest="0"
    )
    absorb.attach_results([result])
    annotation = Annotation.objects.get(document_id=document_id)
    change = queue_decision(annotation, alice, label="logo")
    drain.drain(mixpeek_client)
    ((_, body),) = writes(box)
    assert (body.get("payload") or {}, "metadata" in body) == (expected_stamp(change, where), False)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert is_nobodys_edit(annotation, box)


def test_it_goes_in_bulk_in_the_payload_only(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    lists = (Listing(retriever_id="ret_vans", pages=1),)
    done = deliver_in_bulk(BulkPlan(heads=(change.pk,), before=lists, after=lists), mixpeek_client)
    settle.settle_outcomes(done.outcomes)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert read(box, annotation)["payload"] == {"theirs": 1, **expected_stamp(change, where)}
    assert is_nobodys_edit(annotation, box)


def test_it_says_cannot_tell_in_the_payload_only(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    outcome = Decision.Outcome.UNDECIDABLE
    decision = decide(annotation, alice, outcome=outcome, reasoning="Too dark.")
    box.faults([{"method": "PATCH", "drop": "after"}])
    drain.drain(mixpeek_client)
    Change.objects.filter(state="queued").update(due=timezone.now())
    drain.drain(mixpeek_client)

    change = Change.objects.get()
    if where != "payload":
        box.faults([])
        assert (change.state, writes(box)) == ("withdrawn", [])
        assert change.why.startswith("Not sent")
        return
    said = {"outcome": "cannot_tell", "reason": "Too dark."}
    stamp = {**expected_stamp(change, where)["reviewapp"], **said}
    assert change.progress == "Can't tell, delivered"
    assert writes(box) == [("PATCH", {"payload": {"theirs": 1, "reviewapp": stamp}})]
    assert is_nobodys_edit(annotation, box)

    undo(decision.pk, actor=alice)
    drain.drain(mixpeek_client)
    assert read(box, annotation)["payload"]["reviewapp"]["outcome"] == "reverted"
    assert (annotation.status, annotation.payload) == ("waiting", {"theirs": 1})
