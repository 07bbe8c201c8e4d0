"""A parallel round over a real socket: each change once; an outage leaves the rest due."""

from __future__ import annotations

import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from reviewapp.sync.request_budget import BudgetPace
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 12
BASE: dict[str, Any] = {"label": "logo", "confidence": 0.25, "reasoning": "", "payload": {}}


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes, request: pytest.FixtureRequest) -> Box:
    """A sandbox with as many annotations as are decided on here."""
    many = getattr(request, "param", MANY)
    annotations, documents = map(annotation_json, range(many)), map(document_json, range(many))
    folder = write_data_folder(
        tmp_path, retrievers=[retriever_json()], documents=documents, annotations=annotations
    )
    return sandboxes.namespace(folder)


@pytest.fixture(autouse=True)
def changes(box: Box, mixpeek_client: Client) -> None:
    """A change of each annotation, and a second one of each that waits behind it."""
    Retriever.objects.create(retriever_id="ret_vans", name="vans", seen_at=timezone.now())
    absorb.absorb(mixpeek_client.list_annotations(limit=500).items)
    for seen, label in (("logo", "first"), ("first", "second")):
        for row in Annotation.objects.order_by("annotation_id"):
            fields = {
                "fields": {"label": label},
                "base": BASE | {"label": seen},
                "cause": uuid.uuid4(),
            }
            Change.objects.create(ref=row.ref, due=timezone.now(), attempts=1, **fields)
    box.clear()


def test_it_delivers_each_once_and_in_order(box: Box, mixpeek_client: Client) -> None:
    while drain.drain(mixpeek_client):
        pass
    assert set(Change.objects.values_list("state", "attempts", "maybe_sent")) == {
        ("delivered", 1, False)
    }
    assert Counter(request["method"] for request in box.received()) == {
        "GET": 2 * MANY,
        "PATCH": 2 * MANY,
    }
    assert {(row.label, row.version) for row in Annotation.objects.all()} == {("second", 3)}


def test_it_leaves_the_others_when_mixpeek_is_down(box: Box, mixpeek_client: Client) -> None:
    box.faults([{"method": "PATCH", "status": 503, "times": 1000}])
    drain.drain(mixpeek_client)
    tried = Change.objects.filter(attempts=2)
    assert 1 <= tried.count() <= 4
    assert all(change.due > timezone.now() for change in tried)
    assert not Change.objects.exclude(state="queued").exists()
    assert Change.objects.filter(claimed_at=None).count() == 2 * MANY


def test_it_begins_nothing_that_it_cannot_pay_to_the_end(box: Box, settings: Settings) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 60
    with Client(
        base_url=box.url, api_key=box.key, namespace=box.namespace, pace=BudgetPace()
    ) as paced:
        drain.drain(paced)
    delivered = Change.objects.filter(state="delivered").count()
    assert 1 <= delivered < MANY
    assert Counter(request["method"] for request in box.received()) == {
        "GET": delivered,
        "PATCH": delivered,
    }
    assert not Change.objects.filter(state="queued").exclude(claimed_at=None).exists()


@pytest.mark.parametrize("box", [3 * MANY], indirect=True)
def test_it_goes_on_in_bulk_where_one_by_one_costs_too_much(box: Box, settings: Settings) -> None:
    Change.objects.update(attempts=0, retriever_id="ret_vans")
    # Two seconds bring the three requests that a bulk write takes.
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 120
    with Client(
        base_url=box.url, api_key=box.key, namespace=box.namespace, pace=BudgetPace()
    ) as paced:
        drain.drain(paced)
    assert any(request["path"] == "/v1/annotations/bulk" for request in box.received())
    assert Change.objects.filter(state="delivered").count() > MANY
