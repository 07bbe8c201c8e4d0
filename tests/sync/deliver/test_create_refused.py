"""A create is refused while a later decision waits: the later one creates the annotation."""

from __future__ import annotations

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.sync.deliver import drain
from tests.decisions import queue_decision
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


def test_it_creates_with_everything_the_later_person_saw(
    unannotated: Annotation, alice: User, bob: User, box: Box, mixpeek_client: Client
) -> None:
    first = queue_decision(unannotated, alice, label="logo", reasoning="On the door.")
    second = queue_decision(unannotated, bob, confidence=0.9)
    refusal = {"status": 422, "error": {"message": "No.", "type": "ValidationError"}}
    box.faults([{"method": "POST", "path": "^/v1/annotations$", "status": 422, "body": refusal}])
    drain.drain(mixpeek_client)
    first.refresh_from_db()
    second.refresh_from_db()
    unannotated.refresh_from_db()
    assert (first.state, second.state) == ("refused", "delivered")
    upstream = box.call("GET", f"/v1/annotations/{unannotated.annotation_id}").json()
    assert (upstream["label"], upstream["reasoning"], upstream["confidence"]) == (
        "logo",
        "On the door.",
        0.9,
    )
    assert (unannotated.label, unannotated.confidence) == ("logo", 0.9)
