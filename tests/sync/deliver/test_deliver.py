"""One change on its way to Mixpeek, over a real socket: every fork of the road."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Unavailable
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change, Pause
from reviewapp.sync.deliver import annotations as deliver_annotations
from reviewapp.sync.deliver import drain
from reviewapp.sync.deliver.settle import settle_outcomes
from tests.collapsed import collapsed
from tests.decisions import queue_decision
from tests.sync.delivering import edit_elsewhere, upstream, writes
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


def test_it_sends_only_what_changed_and_absorbs_the_reply(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo", reasoning="It is a shadow.")
    box.clear()
    assert drain.drain(mixpeek_client) == 1
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, change.version) == ("delivered", 2)
    assert writes(box) == [("PATCH", {"label": "no logo", "reasoning": "It is a shadow."})]
    assert (annotation.version, annotation.upstream["label"], annotation.label) == (
        2,
        "no logo",
        "no logo",
    )
    actions = list(Event.objects.about(annotation.ref).values_list("action", "actor_name"))
    assert actions[:3] == [
        (Action.CHANGE_DELIVERED, ""),
        (Action.CHANGE_QUEUED, "alice"),
        (Action.ANNOTATION_RELABELLED, "alice"),
    ]


def test_it_tells_the_label_when_upstream_is_already_as_wanted(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    edit_elsewhere(box, annotation, label="no logo")
    box.clear()
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.raced, writes(box)) == (
        "delivered",
        None,
        [("PATCH", {"label": "no logo"})],
    )


def test_it_merges_what_others_changed_in_other_fields(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    edit_elsewhere(box, annotation, confidence=0.9)
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, change.merged) == ("delivered", {"confidence": [0.4, 0.9]})
    assert (annotation.label, annotation.confidence) == ("no logo", 0.9)


def test_it_tells_a_merge_on_the_item_and_in_my_last_decisions(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client, client: Browser
) -> None:
    client.force_login(alice)
    address = reverse("review", args=[annotation.pk])
    queue_decision(annotation, alice, label="no logo")
    drain.drain(mixpeek_client)
    page = client.get(address)
    assert (
        page.context["item"].merged,
        [decision.merged for decision in page.context["recent"]],
    ) == (
        (),
        [False],
    )

    annotation.refresh_from_db()
    queue_decision(annotation, alice, label="van")
    edit_elsewhere(box, annotation, confidence=0.9)
    drain.drain(mixpeek_client)
    page = client.get(address)
    (diff,) = page.context["item"].merged
    assert (diff.name, [decision.merged for decision in page.context["recent"]]) == (
        "confidence",
        [True, False],
    )
    text = collapsed(page)
    assert "Merged with a change at Mixpeek." in text
    assert text.count("Merged</span>") == 1


def test_it_asks_a_person_when_somebody_set_the_same_field(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    edit_elsewhere(box, annotation, label="partial logo")
    box.clear()
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, writes(box)) == ("conflict", [])
    assert change.theirs is not None
    assert change.theirs["label"] == annotation.label == "partial logo"


def test_it_delivers_changes_of_one_annotation_in_order(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    queue_decision(annotation, alice, label="first")
    queue_decision(annotation, alice, label="second")
    box.clear()
    assert drain.drain(mixpeek_client) == 2
    assert [body for _, body in writes(box)] == [{"label": "first"}, {"label": "second"}]
    assert upstream(box, annotation)["label"] == "second"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "headers": {"Retry-After": "30"}},
        {"status": 429, "headers": {"Retry-After": "30"}},
        {"status": 200, "body": "<html>busy</html>", "headers": {"Content-Type": "text/html"}},
        {"truncate": 10},
        {"drop": "before"},
        {"drop": "after"},
    ],
    ids=str,
)
def test_it_waits_and_then_delivers_once(
    fault: dict[str, Any], annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([{"method": "PATCH", **fault}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.attempts) == ("queued", 1)
    assert change.reason
    assert change.due > timezone.now()
    assert claims.claim(timezone.now()) is None
    later = claims.claim(timezone.now() + timedelta(minutes=2))
    assert later is not None
    assert drain.attempt(later, mixpeek_client)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert upstream(box, annotation)["version"] == 2


def test_it_honours_retry_after(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([{"path": "/v1/annotations", "status": 429, "headers": {"Retry-After": "77"}}])
    before = timezone.now()
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert change.due - before >= timedelta(seconds=77)


@pytest.mark.parametrize("status", [401, 403])
def test_it_pauses_everything_when_our_key_is_refused(
    status: int, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([{"path": "/v1/annotations", "status": status}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.attempts) == ("queued", 0)
    assert Pause.objects.exists()
    assert drain.drain(mixpeek_client) == 0
    assert drain.probe(mixpeek_client)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert not Pause.objects.exists()


def test_it_shows_why_upstream_refused(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    problem = {"loc": ["body", "label"], "msg": "is not one of ours", "type": "value_error"}
    box.faults([{"method": "PATCH", "status": 422, "body": {"detail": [problem]}}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert change.state == "refused"
    assert "is not one of ours" in change.field_errors["label"]
    assert annotation.label == "logo"


def test_it_catches_a_yes_that_did_nothing(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([{"method": "PATCH", "status": 200, "body": upstream(box, annotation)}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, list(change.field_errors)) == ("refused", ["label"])


def test_it_records_the_words_it_wrote_over_in_a_race(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    read = mixpeek_client.get_annotation(annotation.annotation_id or "")
    edit_elsewhere(box, annotation, label="partial logo")
    assert claims.claim(timezone.now()) == change
    change.refresh_from_db()
    settle_outcomes([deliver_annotations.deliver_from_record(read, change, mixpeek_client)])
    change.refresh_from_db()
    assert change.state == "delivered"
    assert change.raced is not None
    assert (change.raced["read"], change.raced["now"], change.raced["lost"]) == (
        1,
        3,
        {"label": "partial logo"},
    )


def race_and_lose_the_answer(
    change: Change, annotation: Annotation, box: Box, client: Client
) -> None:
    """Let the change be carried out right behind a stranger's edit, and nobody hear the answer."""
    read = client.get_annotation(annotation.annotation_id or "")
    edit_elsewhere(box, annotation, label="partial logo")
    box.faults([{"method": "PATCH", "drop": "after"}])
    assert claims.claim(timezone.now()) == change
    change.refresh_from_db()
    with pytest.raises(Unavailable):
        deliver_annotations.deliver_from_record(read, change, client)
    claims.release([change])


def test_it_records_what_it_wrote_over_when_the_answer_was_lost(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    race_and_lose_the_answer(change, annotation, box, mixpeek_client)
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.version) == ("delivered", 3)
    assert change.raced is not None
    assert (change.raced["read"], change.raced["now"], change.raced["lost"]) == (
        1,
        3,
        {"label": "partial logo"},
    )


def test_it_records_what_it_wrote_over_even_when_it_is_in_conflict_by_then(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    race_and_lose_the_answer(change, annotation, box, mixpeek_client)
    edit_elsewhere(box, annotation, label="other")
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert change.state == "conflict"
    assert change.raced is not None
    assert change.raced["lost"] == {"label": "partial logo"}


def test_it_takes_our_own_earlier_values_for_no_loss(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    labels = ("text", "face", "text")
    for label in labels:
        queue_decision(annotation, alice, label=label)
    while drain.drain(mixpeek_client):
        pass
    assert [change.raced for change in Change.objects.about(annotation.ref)] == [None] * 3


def test_it_takes_gone_upstream_as_a_state(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.call("DELETE", f"/v1/annotations/{annotation.annotation_id}")
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, annotation.status) == ("refused", "gone")
