"""A change at Mixpeek arrives by webhook over real sockets, and a worker absorbs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.sync.listen import hints
from reviewapp.sync.models import Hint, Notification
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connected(box: Box, live_server: LiveServer, settings: Settings) -> Iterator[Box]:
    """A sandbox that tells the live server of changes."""
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY, settings.MIXPEEK_NAMESPACE = (
        box.url,
        box.key,
        box.namespace,
    )
    settings.MIXPEEK_WEBHOOK_SECRET = "a secret of the test"
    call_command("setup_webhook", f"{live_server.url}/webhooks/mixpeek")
    yield box
    box.call("DELETE", f"/v1/organizations/webhooks/{_webhook_id(box)}")


def _webhook_id(box: Box) -> str:
    return str(box.call("GET", "/v1/organizations/webhooks/reviewapp").json()["webhook_id"])


def until(there: Callable[[], bool]) -> None:
    """Wait for something the other process causes, a minute at most."""
    pause = Event()
    for _ in range(600):
        if there():
            return
        pause.wait(0.1)
    raise AssertionError("it did not come")


def test_it_brings_a_foreign_change_into_the_mirror(connected: Box, mixpeek_client: Client) -> None:
    created = connected.call(
        "POST", "/v1/annotations", json={"document_id": "doc_3", "label": "van"}
    ).json()
    annotation_id = created["annotation_id"]
    until(lambda: Notification.objects.filter(annotation_id=annotation_id).exists())
    hints.follow(mixpeek_client)
    row = Annotation.objects.get(annotation_id=annotation_id)
    assert row.label == "van"
    connected.call(
        "PATCH",
        f"/v1/annotations/{annotation_id}",
        json={"label": "lorry", "reasoning": "it is large"},
    )
    until(Hint.objects.exists)
    hints.follow(mixpeek_client)
    row.refresh_from_db()
    assert (row.label, row.reasoning, row.version) == ("lorry", "it is large", 2)
    connected.call("DELETE", f"/v1/annotations/{annotation_id}")
    until(Hint.objects.exists)
    hints.follow(mixpeek_client)
    row.refresh_from_db()
    assert row.status == Annotation.Status.GONE


def test_it_gets_what_came_while_it_was_down(
    connected: Box, live_server: LiveServer, settings: Settings
) -> None:
    settings.MIXPEEK_WEBHOOK_SECRET = "another one, by mistake"
    connected.call("POST", "/v1/annotations", json={"document_id": "doc_4", "label": "van"})

    def refused() -> bool:
        health = (
            connected.call("GET", "/v1/organizations/webhooks/reviewapp").json()["delivery_health"]
            or {}
        )
        return "401" in health.get("last_failure_cause", "")

    until(refused)
    assert not Notification.objects.exists()
    settings.MIXPEEK_WEBHOOK_SECRET = "a secret of the test"
    until(Notification.objects.exists)
