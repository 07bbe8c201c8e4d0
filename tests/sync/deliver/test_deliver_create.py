"""A decision on a result that nobody had annotated: one annotation upstream, whatever goes wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import drain
from tests.decisions import queue_decision
from tests.sync.delivering import upstream
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


def test_it_creates_an_annotation_for_a_result_without_one(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(unannotated, alice, label="logo", confidence=0.8)
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    there = upstream(box, unannotated)
    assert (change.state, change.verb) == ("delivered", "create")
    assert (there["label"], there["confidence"], there["retriever_id"]) == (
        "logo",
        0.8,
        "ret_logos",
    )


@pytest.mark.parametrize("drop", ["before", "after"])
def test_it_makes_no_second_annotation_when_a_create_is_retried(
    drop: str, unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    queue_decision(unannotated, alice, label="logo", confidence=0.8)
    box.faults([{"method": "POST", "path": "^/v1/annotations$", "drop": drop}])
    drain.drain(mixpeek_client)
    later = claims.claim(timezone.now() + timedelta(minutes=2))
    assert later is not None
    drain.attempt(later, mixpeek_client)
    listed = box.call(
        "POST", "/v1/annotations/list", json={"document_id": unannotated.document_id}
    ).json()["results"]
    assert [row["label"] for row in listed] == ["logo"]
    assert upstream(box, unannotated)["annotation_id"] == listed[0]["annotation_id"]


def test_it_delivers_a_second_decision_made_before_the_create_went_out(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    queue_decision(unannotated, alice, label="logo")
    queue_decision(unannotated, alice, label="no logo")
    drain.drain(mixpeek_client)
    assert set(Change.objects.values_list("state", flat=True)) == {"delivered"}
    assert upstream(box, unannotated)["label"] == "no logo"


def test_it_does_not_create_beside_an_annotation_somebody_else_made(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(unannotated, alice, label="logo")
    created = mixpeek_client.create_annotation(
        document_id=unannotated.document_id, label="no logo", retriever_id="ret_logos"
    )
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    unannotated.refresh_from_db()
    assert change.state == "conflict"
    assert (unannotated.annotation_id, unannotated.label) == (created.annotation_id, "no logo")
