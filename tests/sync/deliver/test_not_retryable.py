"""Mixpeek says that a request will fail again: it is not repeated, and a person decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import drain
from tests.decisions import queue_decision
from tests.sync.delivering import writes
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db

WORDS = "The writer is read only for good."


def failure(status: int, method: str = "PATCH", **details: Any) -> dict[str, Any]:
    """Return the sandbox's script for one failed call."""
    error = {"message": WORDS, "type": "WriterReadOnlyError", "details": details}
    body = {"success": False, "status": status, "error": error}
    return {"method": method, "path": "/v1/annotations/", "status": status, "body": body}


def deliver(change: Change, client: Client) -> Change:
    """Deliver what is due, as if the back-off were over."""
    Change.objects.filter(state=Change.State.QUEUED).update(due=timezone.now())
    drain.drain(client)
    change.refresh_from_db()
    return change


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_it_is_shown_with_its_reason_like_a_refusal(
    annotation: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
    client: Browser,
    method: str,
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([failure(503, method, retryable=False, retry_after_seconds=1)])

    deliver(change, mixpeek_client)

    reason = f"Mixpeek says that retrying will not help: {WORDS}"
    assert (change.state, change.reason, change.attempts) == ("refused", reason, 0)
    client.force_login(alice)
    assert WORDS in client.get(reverse("review", args=[annotation.pk])).content.decode()
    box.clear()
    assert drain.drain(mixpeek_client) == 0
    assert writes(box) == []


def test_it_does_not_hold_up_the_others(
    annotation: Annotation, alice: User, bob: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([failure(503, retryable=False)])
    deliver(change, mixpeek_client)

    annotation.refresh_from_db()
    again = queue_decision(annotation, bob, label="van")

    assert deliver(again, mixpeek_client).state == "delivered"


@pytest.mark.parametrize(
    "scripted",
    [
        failure(503),
        failure(503, retryable=True),
        failure(503, retryable=0),
        failure(429, retryable=False),
    ],
    ids=["nothing said", "true", "no boolean", "a limit"],
)
def test_it_tries_everything_else_again(
    annotation: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
    scripted: dict[str, Any],
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([scripted])
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.attempts) == ("queued", 1)


def test_it_reads_once_more_what_may_have_been_applied(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([failure(500, retryable=False)])
    assert deliver(change, mixpeek_client).state == "queued"

    box.faults([failure(500, retryable=False)])
    assert deliver(change, mixpeek_client).state == "refused"

    annotation.refresh_from_db()
    applied = queue_decision(annotation, alice, label="van")
    box.faults([failure(500, retryable=False) | {"apply": True}])
    assert deliver(applied, mixpeek_client).state == "queued"
    assert deliver(applied, mixpeek_client).state == "delivered"
