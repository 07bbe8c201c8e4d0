"""One change on its way to Mixpeek, over a real socket: every fork of the road."""

from __future__ import annotations

import itertools
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations import absorb, services
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.services import Submission
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change, Pause
from reviewapp.retrievers.models import Result, Retriever
from reviewapp.sync import deliver, deliver_annotation
from tests.sandbox.running import Box

pytestmark = pytest.mark.django_db
_documents = itertools.count()


@pytest.fixture
def retriever(db: None) -> Retriever:
    return Retriever.objects.create(retriever_id="ret_logos", name="logos", seen_at=timezone.now())


@pytest.fixture
def annotation(mixpeek_client: Client, retriever: Retriever) -> Annotation:
    """A machine-made annotation upstream, mirrored here."""
    record = mixpeek_client.create_annotation(
        document_id=f"doc_{next(_documents)}", label="logo", confidence=0.4, retriever_id="ret_logos"
    )
    absorb.absorb([record])
    return Annotation.objects.get(annotation_id=record.annotation_id)


@pytest.fixture
def unannotated(retriever: Retriever) -> Annotation:
    """A result nobody has annotated yet."""
    document_id = f"doc_{next(_documents)}"
    result = Result.objects.create(retriever=retriever, document_id=document_id, snapshot={"title": "Van"}, digest="0")
    absorb.attach([result])
    return Annotation.objects.get(document_id=document_id)


def decide(annotation: Annotation, actor: User, **values: Any) -> Change:
    annotation.refresh_from_db()
    submission = Submission(
        **{"decision_id": uuid.uuid4(), "base": annotation.seen(), **annotation.values()} | values  # type: ignore[arg-type]
    )
    services.decide(annotation.pk, submission, actor=actor)
    return Change.objects.about(annotation.ref)[0]


def upstream(box: Box, annotation: Annotation) -> dict[str, Any]:
    annotation.refresh_from_db()
    found: dict[str, Any] = box.call("GET", f"/v1/annotations/{annotation.annotation_id}").json()
    return found


def edit_elsewhere(box: Box, annotation: Annotation, **values: Any) -> None:
    assert box.call("PATCH", f"/v1/annotations/{annotation.annotation_id}", json=values).status_code == 200


def writes(box: Box) -> list[tuple[str, Any]]:
    return [
        (r["method"], r["body"]) for r in box.received() if r["method"] == "PATCH" or r["path"] == "/v1/annotations"
    ]


def test_it_sends_only_what_changed_and_absorbs_the_reply(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo", reasoning="It is a shadow.")
    box.clear()
    assert deliver.drain(mixpeek_client) == 1
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, change.version) == ("delivered", 2)
    assert writes(box) == [("PATCH", {"label": "no logo", "reasoning": "It is a shadow."})]
    assert (annotation.version, annotation.upstream["label"], annotation.label) == (2, "no logo", "no logo")
    actions = list(Event.objects.about(annotation.ref).values_list("action", "actor_name"))
    assert actions[:3] == [
        (Action.CHANGE_DELIVERED, ""),
        (Action.CHANGE_QUEUED, "alice"),
        (Action.ANNOTATION_RELABELLED, "alice"),
    ]


def test_it_sends_nothing_when_upstream_is_already_as_wanted(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo")
    edit_elsewhere(box, annotation, label="no logo")
    box.clear()
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, writes(box)) == ("delivered", [])


def test_it_merges_what_others_changed_in_other_fields(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo")
    edit_elsewhere(box, annotation, confidence=0.9)
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, change.merged) == ("delivered", {"confidence": [0.4, 0.9]})
    assert (annotation.label, annotation.confidence) == ("no logo", 0.9)


def test_it_asks_a_person_when_somebody_set_the_same_field(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo")
    edit_elsewhere(box, annotation, label="partial logo")
    box.clear()
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, writes(box)) == ("conflict", [])
    assert change.theirs is not None
    assert change.theirs["label"] == annotation.label == "partial logo"


def test_it_delivers_changes_of_one_annotation_in_order(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decide(annotation, alice, label="first")
    decide(annotation, alice, label="second")
    box.clear()
    assert deliver.drain(mixpeek_client) == 2
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
    change = decide(annotation, alice, label="no logo")
    box.faults([{"method": "PATCH", **fault}])
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.attempts) == ("queued", 1)
    assert change.reason
    assert change.due > timezone.now()
    assert outbox.claim(timezone.now()) is None
    later = outbox.claim(timezone.now() + timedelta(minutes=2))
    assert later is not None
    assert deliver.attempt(later, mixpeek_client)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert upstream(box, annotation)["version"] == 2


def test_it_honours_retry_after(annotation: Annotation, alice: User, box: Box, mixpeek_client: Client) -> None:
    change = decide(annotation, alice, label="no logo")
    box.faults([{"path": "/v1/annotations", "status": 429, "headers": {"Retry-After": "77"}}])
    before = timezone.now()
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    assert change.due - before >= timedelta(seconds=77)


@pytest.mark.parametrize("status", [401, 403])
def test_it_pauses_everything_when_our_key_is_refused(
    status: int, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo")
    box.faults([{"path": "/v1/annotations", "status": status}])
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.attempts) == ("queued", 0)
    assert Pause.objects.exists()
    assert deliver.drain(mixpeek_client) == 0
    assert deliver.probe(mixpeek_client)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert not Pause.objects.exists()


def test_it_shows_why_upstream_refused(annotation: Annotation, alice: User, box: Box, mixpeek_client: Client) -> None:
    change = decide(annotation, alice, label="no logo")
    problem = {"loc": ["body", "label"], "msg": "is not one of ours", "type": "value_error"}
    box.faults([{"method": "PATCH", "status": 422, "body": {"detail": [problem]}}])
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert change.state == "refused"
    assert "is not one of ours" in change.field_errors["label"]
    assert annotation.label == "logo"


def test_it_catches_a_yes_that_did_nothing(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo")
    box.faults([{"method": "PATCH", "status": 200, "body": upstream(box, annotation)}])
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, list(change.field_errors)) == ("refused", ["label"])


def test_it_records_the_words_it_wrote_over_in_a_race(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo")
    read = mixpeek_client.get_annotation(annotation.annotation_id or "")
    edit_elsewhere(box, annotation, label="partial logo")
    deliver_annotation.bring_from(read, change, mixpeek_client)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert change.raced is not None
    assert (change.raced["read"], change.raced["now"], change.raced["lost"]) == (1, 3, {"label": "partial logo"})


def test_it_takes_gone_upstream_as_a_state(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(annotation, alice, label="no logo")
    box.call("DELETE", f"/v1/annotations/{annotation.annotation_id}")
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    annotation.refresh_from_db()
    assert (change.state, annotation.status) == ("refused", "gone")


def test_it_creates_an_annotation_for_a_result_without_one(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(unannotated, alice, label="logo", confidence=0.8)
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    there = upstream(box, unannotated)
    assert (change.state, change.verb) == ("delivered", "create")
    assert (there["label"], there["confidence"], there["retriever_id"]) == ("logo", 0.8, "ret_logos")


@pytest.mark.parametrize("drop", ["before", "after"])
def test_it_makes_no_second_annotation_when_a_create_is_retried(
    drop: str, unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decide(unannotated, alice, label="logo", confidence=0.8)
    box.faults([{"method": "POST", "path": "^/v1/annotations$", "drop": drop}])
    deliver.drain(mixpeek_client)
    later = outbox.claim(timezone.now() + timedelta(minutes=2))
    assert later is not None
    deliver.attempt(later, mixpeek_client)
    listed = box.call("POST", "/v1/annotations/list", json={"document_id": unannotated.document_id}).json()["results"]
    assert [row["label"] for row in listed] == ["logo"]
    assert upstream(box, unannotated)["annotation_id"] == listed[0]["annotation_id"]


def test_it_delivers_a_second_decision_made_before_the_create_went_out(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decide(unannotated, alice, label="logo")
    decide(unannotated, alice, label="no logo")
    deliver.drain(mixpeek_client)
    assert set(Change.objects.values_list("state", flat=True)) == {"delivered"}
    assert upstream(box, unannotated)["label"] == "no logo"


def test_it_does_not_create_beside_an_annotation_somebody_else_made(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = decide(unannotated, alice, label="logo")
    made = mixpeek_client.create_annotation(
        document_id=unannotated.document_id, label="no logo", retriever_id="ret_logos"
    )
    deliver.drain(mixpeek_client)
    change.refresh_from_db()
    unannotated.refresh_from_db()
    assert change.state == "conflict"
    assert (unannotated.annotation_id, unannotated.label) == (made.annotation_id, "no logo")
