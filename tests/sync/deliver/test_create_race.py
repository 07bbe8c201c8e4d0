"""Another client annotates our document at the same moment: each keeps its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import drain
from reviewapp.sync.listen import hints
from reviewapp.sync.models import Hint
from reviewapp.sync.pull.run import pull
from tests.decisions import queue_decision
from tests.sync.delivering import upstream
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db
_CREATE = {"method": "POST", "path": "^/v1/annotations$"}


@pytest.fixture(params=["metadata", "none"])
def where(request: pytest.FixtureRequest, settings: Settings, annotation: Annotation) -> str:
    """Set whether our annotations carry a stamp, by whether metadata is known to be supported."""
    settings.MIXPEEK_WHO = request.param
    return str(request.param)


class Theirs:
    """Somebody else with the same key, and a pull that sees what they do."""

    def __init__(self, box: Box, client: Client, place: Annotation) -> None:
        self.box, self.client, self.place = box, client, place

    def make(self) -> str:
        body = {
            "document_id": self.place.document_id,
            "retriever_id": "ret_logos",
            "label": "no logo",
        }
        return str(self.box.call("POST", "/v1/annotations", json=body).json()["annotation_id"])

    def all(self) -> list[AnnotationRecord]:
        return list(
            self.client.list_annotations(document_id=self.place.document_id, limit=500).items
        )

    def are_pulled(self) -> int:
        return absorb.absorb(self.all()).left


@pytest.fixture
def theirs(box: Box, mixpeek_client: Client, unannotated: Annotation) -> Theirs:
    return Theirs(box, mixpeek_client, unannotated)


@contextmanager
def meanwhile(box: Box, act: Callable[[], Any]) -> Iterator[Client]:
    """A client in whose back `act` happens, right after its first request was answered."""
    to_come = [act]

    def observe(method: str, status: int | None, seconds: float) -> None:
        if to_come:
            to_come.pop()()

    with Client(
        base_url=box.url, api_key=box.key, namespace=box.namespace, observe=observe
    ) as client:
        yield client


def try_again(change: Change, client: Client) -> None:
    again = claims.claim(timezone.now() + timedelta(minutes=10))
    assert again == change
    drain.attempt(again, client)
    change.refresh_from_db()


def test_it_keeps_both_when_theirs_is_made_and_pulled_between_our_look_and_our_create(
    where: str, unannotated: Annotation, theirs: Theirs, alice: User, box: Box
) -> None:
    change = queue_decision(unannotated, alice, label="logo")
    with meanwhile(box, lambda: (theirs.make(), theirs.are_pulled())) as client:
        drain.drain(client)
    change.refresh_from_db()
    assert (change.state, upstream(box, unannotated)["label"], unannotated.label) == (
        "delivered",
        "logo",
        "logo",
    )
    other = Annotation.objects.exclude(pk=unannotated.pk).get(document_id=unannotated.document_id)
    assert other.label == "no logo"
    assert (change.raced or {})["beside"] == [
        {"annotation_id": other.annotation_id, "label": "no logo", "by": other.actor_id}
    ]


def test_it_keeps_both_when_our_answer_is_lost_and_theirs_is_pulled_first(
    where: str,
    unannotated: Annotation,
    theirs: Theirs,
    alice: User,
    mixpeek_client: Client,
    box: Box,
) -> None:
    change = queue_decision(unannotated, alice, label="logo")
    box.faults([{**_CREATE, "delay": 0.0}, {**_CREATE, "drop": "after"}])
    with meanwhile(box, theirs.make) as client:
        drain.drain(client)
    assert len(theirs.all()) == 2
    theirs.are_pulled()
    try_again(change, mixpeek_client)
    theirs.are_pulled()
    assert (change.state, len(theirs.all())) == ("delivered", 2)
    assert (upstream(box, unannotated)["label"], unannotated.label) == ("logo", "logo")
    other = Annotation.objects.exclude(pk=unannotated.pk).get(document_id=unannotated.document_id)
    assert other.label == "no logo"


def test_it_asks_a_person_when_our_create_never_came_and_theirs_is_there(
    where: str,
    unannotated: Annotation,
    theirs: Theirs,
    alice: User,
    mixpeek_client: Client,
    box: Box,
) -> None:
    change = queue_decision(unannotated, alice, label="logo")
    box.faults([{**_CREATE, "drop": "before"}])
    drain.drain(mixpeek_client)
    their_id = theirs.make()
    assert theirs.are_pulled() == 1
    try_again(change, mixpeek_client)
    unannotated.refresh_from_db()
    assert (change.state, (change.theirs or {})["label"]) == ("conflict", "no logo")
    assert (unannotated.annotation_id, len(theirs.all())) == (their_id, 1)


def test_it_asks_a_person_when_a_pull_that_began_earlier_gave_our_row_to_theirs(
    unannotated: Annotation, theirs: Theirs, alice: User, box: Box
) -> None:
    change = queue_decision(unannotated, alice, label="logo")

    def a_pull_commits() -> None:
        Annotation.objects.filter(pk=unannotated.pk).update(annotation_id=theirs.make())

    with meanwhile(box, a_pull_commits) as client:
        drain.drain(client)
    change.refresh_from_db()
    assert (change.state, len(theirs.all())) == ("conflict", 1)


def test_it_says_nothing_of_what_a_script_had_made_there_before(
    unannotated: Annotation, theirs: Theirs, alice: User, mixpeek_client: Client
) -> None:
    their_id = theirs.make()
    Annotation.objects.create(
        ref=f"annotations/{their_id}",
        annotation_id=their_id,
        document_id=unannotated.document_id,
        seen_at=timezone.now(),
    )
    change = queue_decision(unannotated, alice, label="logo")
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.raced, len(theirs.all())) == ("delivered", None, 2)


def test_it_is_delivered_although_nobody_can_say_who_else_was_there(
    unannotated: Annotation, theirs: Theirs, alice: User, mixpeek_client: Client, box: Box
) -> None:
    change = queue_decision(unannotated, alice, label="logo")
    listing = {"method": "POST", "path": "^/v1/annotations/list"}
    box.faults([{**listing, "delay": 0.0}, {**listing, "status": 503}])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, len(theirs.all())) == ("delivered", 1)


def test_it_reads_a_hint_again_that_has_to_wait(
    unannotated: Annotation, theirs: Theirs, alice: User, mixpeek_client: Client
) -> None:
    queue_decision(unannotated, alice, label="logo")
    assert claims.claim(timezone.now()) is not None
    hints.enqueue_hints([theirs.make()], Hint.Source.WEBHOOK)
    hints.follow(mixpeek_client)
    (waits,) = Hint.objects.all()
    assert (waits.attempts, Annotation.objects.get().annotation_id) == (1, None)


def test_it_does_not_walk_through_everything_again_for_what_has_to_wait(
    unannotated: Annotation, theirs: Theirs, alice: User, mixpeek_client: Client, box: Box
) -> None:
    queue_decision(unannotated, alice, label="logo")
    assert claims.claim(timezone.now()) is not None
    theirs.make()
    box.clear()
    pull(client=mixpeek_client)
    assert len(box.received(method="POST", path="/v1/annotations/list")) == 1
    assert not Annotation.objects.filter(
        label="no logo", document_id=unannotated.document_id
    ).exists()
