"""The door for webhooks: who gets in, what is kept, and that nothing else is said."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings

from reviewapp.sync.listen import webhooks
from reviewapp.sync.listen.signature import sign
from reviewapp.sync.models import Hint, Notification

pytestmark = pytest.mark.django_db
SECRET = "a secret of the test"


@pytest.fixture(autouse=True)
def secret(settings: Settings) -> None:
    settings.MIXPEEK_WEBHOOK_SECRET = SECRET


def event_body(event_id: str = "evt_1", annotation_id: str = "ann_1", **values: Any) -> bytes:
    event = {
        "event_id": event_id,
        "event_type": "annotation.updated",
        "subject": {"id": annotation_id},
    }
    return json.dumps(event | values).encode()


def deliver(
    client: Client, body: bytes, *, at: float | None = None, secret: str = SECRET, **headers: Any
) -> Any:
    stamp = str(int(time.time() if at is None else at))
    signed = {"X-Mixpeek-Signature": f"t={stamp},v1={sign(body, secret=secret, at=stamp)}"}
    return client.post(
        reverse("webhook"), body, content_type="application/json", headers=signed | headers
    )


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name="sync.follow_hints", status="todo").count()


def test_it_keeps_what_is_genuine_and_has_it_looked_into(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = deliver(client, event_body())
    assert (response.status_code, response.content) == (200, b"")
    notification = Notification.objects.get()
    assert (notification.annotation_id, notification.ignored, bytes(notification.body)) == (
        "ann_1",
        False,
        event_body(),
    )
    assert Hint.objects.get().annotation_id == "ann_1"
    assert jobs() == 1


def test_it_needs_neither_session_nor_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    response = deliver(strict, event_body())
    assert response.status_code == 200
    assert not response.cookies


def test_it_takes_a_repeated_delivery_once(client: Client) -> None:
    answers = [
        deliver(client, event_body(), at=time.time() - late).status_code for late in (9, 5, 0)
    ]
    assert answers == [200, 200, 200]
    assert Notification.objects.count() == 1
    assert Hint.objects.get().heard == 1


def test_it_makes_one_hint_of_many_deliveries_about_one_annotation(client: Client) -> None:
    for number in range(5):
        deliver(client, event_body(f"evt_{number}"))
    assert Notification.objects.count() == 5
    assert Hint.objects.get().heard == 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        event_body(event_type="document.updated"),
        event_body(annotation_id=""),
        b"\xff\x00",
    ],
)
def test_it_keeps_what_says_nothing_to_us_as_ignored(client: Client, body: bytes) -> None:
    assert deliver(client, body).status_code == 200
    assert Notification.objects.get().ignored
    assert not Hint.objects.exists()


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"secret": "another"}, 401),
        ({"X-Mixpeek-Signature": ""}, 401),
        ({"X-Mixpeek-Signature": "nonsense"}, 401),
        ({"X-Mixpeek-Signature": "", "X-Mixpeek-Secret": SECRET}, 401),
        ({"at": 1_000_000_000.0}, 400),
        ({"at": 4_000_000_000.0}, 400),
    ],
)
def test_it_refuses_without_a_word(client: Client, more: dict[str, Any], status: int) -> None:
    response = deliver(client, event_body(), **more)
    assert (response.status_code, response.content) == (status, b"")
    assert not Notification.objects.exists()


def test_it_refuses_everybody_while_there_is_no_secret(client: Client, settings: Settings) -> None:
    settings.MIXPEEK_WEBHOOK_SECRET = ""
    settings.MIXPEEK_WEBHOOK_STATIC = True
    assert deliver(client, event_body(), secret="").status_code == 401
    empty: dict[str, Any] = {"X-Mixpeek-Signature": "", "X-Mixpeek-Secret": ""}
    assert deliver(client, event_body(), **empty).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Mixpeek-Signature": "", "X-Mixpeek-Secret": SECRET}, 200),
        ({"X-Mixpeek-Signature": "", "X-Mixpeek-Secret": SECRET + "x"}, 401),
        ({"X-Mixpeek-Signature": "", "X-Mixpeek-Secret": ""}, 401),
        ({"X-Mixpeek-Signature": "t=1,v1=0", "X-Mixpeek-Secret": SECRET}, 401),
        ({}, 200),
    ],
)
def test_it_accepts_the_older_header_where_it_is_asked_to(
    client: Client, settings: Settings, headers: dict[str, Any], status: int
) -> None:
    settings.MIXPEEK_WEBHOOK_STATIC = True
    assert deliver(client, event_body(), **headers).status_code == status


def test_it_refuses_what_is_too_big_unread(client: Client) -> None:
    most = webhooks.MAX_BYTES
    assert deliver(client, b"x" * (most + 1)).status_code == 413
    assert deliver(client, b"x" * most).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_it_answers_to_post_only(client: Client, method: str) -> None:
    assert getattr(client, method)(reverse("webhook")).status_code == 405


def test_it_forgets_what_is_old(settings: Settings) -> None:
    settings.WEBHOOK_DAYS = 3
    for days, number in ((2, 1), (4, 2), (400, 3)):
        received = timezone.now() - timedelta(days=days)
        Notification.objects.create(key=f"event:{number}", body=b"", received_at=received)
    assert webhooks.delete_expired_notifications() == 2
    assert Notification.objects.get().key == "event:1"
