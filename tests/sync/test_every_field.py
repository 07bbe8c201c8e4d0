"""Every field of the table goes to Mixpeek and comes back."""

from __future__ import annotations

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import drain
from reviewapp.sync.pull.run import pull
from tests.decisions import decide
from tests.factories import distinct_values
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


def _upstream(box: Box, annotation: Annotation) -> dict[str, object]:
    path = f"/v1/annotations/{annotation.annotation_id}"
    record: dict[str, object] = box.call("GET", path).json()
    return record


def test_a_decision_is_delivered_with_every_field(
    box: Box, mixpeek_client: Client, annotation: Annotation, alice: User
) -> None:
    values = distinct_values(1)
    decision = decide(annotation, alice, **values)
    drain.drain(mixpeek_client)
    assert Change.objects.get(cause=decision.decision_id).state == "delivered"
    assert _upstream(box, annotation).items() >= values.items()
    assert Annotation.objects.get(pk=annotation.pk).upstream.items() >= values.items()


def test_a_new_annotation_is_created_with_every_field(
    box: Box, mixpeek_client: Client, unannotated: Annotation, alice: User
) -> None:
    values = distinct_values(1)
    decide(unannotated, alice, **values)
    drain.drain(mixpeek_client)
    unannotated.refresh_from_db()
    assert _upstream(box, unannotated).items() >= values.items()


def test_an_edit_at_mixpeek_is_pulled_with_every_field(
    box: Box, mixpeek_client: Client, annotation: Annotation
) -> None:
    values = distinct_values(1)
    box.call("PATCH", f"/v1/annotations/{annotation.annotation_id}", json=values)
    assert not pull(client=mixpeek_client).stopped
    assert Annotation.objects.get(pk=annotation.pk).values() == values
