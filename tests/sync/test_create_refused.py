"""A create is refused while another decision waits behind it: the later one brings the whole annotation."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations import services
from reviewapp.annotations.absorb import attach
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.services import Submission
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Result, Retriever
from reviewapp.sync import deliver
from tests.sandbox.running import Box

pytestmark = pytest.mark.django_db


def decide(annotation: Annotation, actor: User, **values: Any) -> Change:
    annotation.refresh_from_db()
    given: dict[str, Any] = {"decision_id": uuid.uuid4(), "base": annotation.seen(), **annotation.values()}
    services.decide(annotation.pk, Submission(**given | values), actor=actor)
    return Change.objects.about(annotation.ref)[0]


def test_it_creates_with_everything_the_later_person_saw(
    alice: User, bob: User, box: Box, mixpeek_client: Client
) -> None:
    retriever = Retriever.objects.create(retriever_id="ret_logos", name="logos", seen_at=timezone.now())
    result = Result.objects.create(retriever=retriever, document_id="doc_99", snapshot={"title": "Van"}, digest="0")
    attach([result])
    annotation = Annotation.objects.get(document_id="doc_99")
    first = decide(annotation, alice, label="logo", reasoning="On the door.")
    second = decide(annotation, bob, confidence=0.9)
    refusal = {"status": 422, "error": {"message": "No.", "type": "ValidationError"}}
    box.faults([{"method": "POST", "path": "^/v1/annotations$", "status": 422, "body": refusal}])
    deliver.drain(mixpeek_client)
    first.refresh_from_db()
    second.refresh_from_db()
    annotation.refresh_from_db()
    assert (first.state, second.state) == ("refused", "delivered")
    upstream = box.call("GET", f"/v1/annotations/{annotation.annotation_id}").json()
    assert (upstream["label"], upstream["reasoning"], upstream["confidence"]) == ("logo", "On the door.", 0.9)
    assert (annotation.label, annotation.confidence) == ("logo", 0.9)
