"""Hints are followed by reading again: once each, within the rate limit; "gone" is a state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Origin
from reviewapp.audit.models import Event
from reviewapp.mixpeek.client import Client
from reviewapp.sync.listen import hints
from reviewapp.sync.models import Hint, Quiet
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


@pytest.fixture
def annotation_id(box: Box, mixpeek_client: Client) -> str:
    """An annotation that upstream has and we have mirrored."""
    created = box.call(
        "POST", "/v1/annotations", json={"document_id": "doc_1", "label": "van"}
    ).json()["annotation_id"]
    absorb.absorb([mixpeek_client.get_annotation(created)])
    box.clear()
    return str(created)


def reads(box: Box) -> int:
    return len(box.received(method="GET", path="/v1/annotations/"))


def hear(*ids: str) -> None:
    hints.enqueue_hints(ids, Hint.Source.WEBHOOK)


def test_it_reads_again_what_changed(box: Box, mixpeek_client: Client, annotation_id: str) -> None:
    box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"label": "lorry"})
    for _ in range(4):
        hear(annotation_id)
    assert hints.follow(mixpeek_client) == 1
    assert reads(box) == 1
    row = Annotation.objects.get(annotation_id=annotation_id)
    assert (row.label, row.version) == ("lorry", 2)
    event = Event.objects.about(row.ref)[0]
    assert (event.origin, event.actor_id, event.note) == (Origin.WEBHOOK, None, "hint: Webhook")
    assert not Hint.objects.exists()


def test_it_changes_nothing_for_an_echo(
    box: Box, mixpeek_client: Client, annotation_id: str
) -> None:
    before = Event.objects.count()
    hear(annotation_id)
    hints.follow(mixpeek_client)
    assert (reads(box), Event.objects.count()) == (1, before)


def test_it_knows_that_gone_is_a_state(
    box: Box, mixpeek_client: Client, annotation_id: str
) -> None:
    box.call("DELETE", f"/v1/annotations/{annotation_id}")
    hear(annotation_id, "ann_of_somebody_else")
    assert hints.follow(mixpeek_client) == 2
    assert Annotation.objects.get().status == Annotation.Status.GONE
    assert not Hint.objects.exists()


def test_it_hears_of_what_is_new(box: Box, mixpeek_client: Client) -> None:
    created = box.call(
        "POST", "/v1/annotations", json={"document_id": "doc_2", "label": "van"}
    ).json()
    hear(created["annotation_id"])
    hints.follow(mixpeek_client)
    assert Annotation.objects.get(annotation_id=created["annotation_id"]).label == "van"


def test_it_reads_once_more_what_was_spoken_of_during_the_read(
    mixpeek_client: Client, annotation_id: str
) -> None:
    hear(annotation_id)
    claimed = hints.claim_hint(timezone.now())
    assert claimed is not None
    assert hints.claim_hint(timezone.now()) is None
    hear(annotation_id)
    assert hints.follow_one(claimed, mixpeek_client)
    again = hints.claim_hint(timezone.now())
    assert again is not None
    assert again.heard == 2


def test_it_survives_whoever_claimed_and_died(annotation_id: str) -> None:
    hear(annotation_id)
    assert hints.claim_hint(timezone.now()) is not None
    assert (
        hints.claim_hint(timezone.now() + hints.HINT_CLAIM_DURATION + timedelta(seconds=1))
        is not None
    )


def test_it_stops_after_a_round_and_calls_for_another(
    mixpeek_client: Client, annotation_id: str
) -> None:
    hear(annotation_id, "ann_x", "ann_y")
    assert hints.follow(mixpeek_client, limit=2) == 2
    assert hints.follow(mixpeek_client, limit=2) == 1


def test_it_keeps_quiet_as_long_as_it_is_asked_to(
    box: Box, mixpeek_client: Client, annotation_id: str
) -> None:
    box.faults([{"path": "/v1/annotations/*", "status": 429, "headers": {"Retry-After": "900"}}])
    hear(annotation_id, "ann_x")
    before = timezone.now()
    assert hints.follow(mixpeek_client) == 1
    assert Quiet.objects.get().until > before + timedelta(seconds=890)
    assert hints.follow(mixpeek_client) == 0
    assert reads(box) == 1
    Quiet.objects.update(until=timezone.now())
    assert hints.follow(mixpeek_client) == 1
    assert not Quiet.objects.exists()
    Hint.objects.update(due=timezone.now())
    assert hints.follow(mixpeek_client) == 1
    assert not Hint.objects.exists()


def test_it_lets_others_pass_one_that_always_fails(
    box: Box, mixpeek_client: Client, annotation_id: str
) -> None:
    box.faults([{"path": "/v1/annotations/ann_bad", "status": 500, "times": 50}])
    hear("ann_bad", annotation_id)
    for _ in range(3):
        hints.follow(mixpeek_client)
        Quiet.objects.update(until=timezone.now())
    left = Hint.objects.get()
    assert (left.annotation_id, reads(box)) == ("ann_bad", 2)


def test_it_gives_up_on_what_can_never_be_read(box: Box, mixpeek_client: Client) -> None:
    box.faults([{"path": "/v1/annotations/ann_bad", "status": 500, "times": 50}])
    hear("ann_bad")
    for _ in range(20):
        Hint.objects.update(due=timezone.now())
        Quiet.objects.all().delete()
        hints.follow(mixpeek_client)
    assert not Hint.objects.exists()
    assert reads(box) == 20
