"""Webhooks: registered by the official client, delivered signed and again after a failure."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.official_sdk import mixpeek
from tests.sandbox_data import write_fruit_folder
from tests.tools.sandbox.receiver import Received, Receiver, receiving
from tests.tools.sandbox.running import Box, running_sandbox

SECRET = "s3cret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def webhooks(box: Box) -> Iterator[mixpeek.WebhooksApi]:
    with box.sdk() as client:
        api = mixpeek.WebhooksApi(client)
        yield api
        for left in api.list_webhooks_organizations().results:
            assert left.webhook_id is not None
            api.delete_webhook_organizations(left.webhook_id)


def webhook_input(url: str, **values: Any) -> mixpeek.WebhookInput:
    configs = mixpeek.WebhookConfig(
        url=url,
        signing_secret=values.pop("secret", SECRET),
        headers={"X-Own": "yes"},
    )
    channel = mixpeek.WebhookChannelInput(channel="webhook", configs=mixpeek.Configs(configs))
    types = values.pop("event_types", ["annotation.updated"])
    return mixpeek.WebhookInput(
        webhook_name="ours",
        event_types=types,
        channels=[channel],
        **values,
    )


def is_signed(delivery: Received, secret: str = SECRET) -> bool:
    stamp, _, mac = delivery.headers["X-Mixpeek-Signature"].partition(",v1=")
    timestamp = stamp.removeprefix("t=")
    assert abs(time.time() - int(timestamp)) < 600
    due = hmac.new(
        secret.encode(), f"{timestamp}.".encode() + delivery.body, hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(mac, due)


def test_it_keeps_webhooks_and_never_returns_their_secret(webhooks: mixpeek.WebhooksApi) -> None:
    created = webhooks.create_webhook_organizations(webhook_input("http://127.0.0.1:9/x"))
    assert created.webhook_id is not None
    read = webhooks.get_webhook_organizations(created.webhook_id)
    assert (read.webhook_name, read.event_types, read.is_active) == (
        "ours",
        ["annotation.updated"],
        True,
    )
    assert read.channels[0].configs.actual_instance.signing_secret == "redacted"
    assert webhooks.get_webhook_organizations("ours").webhook_id == created.webhook_id
    wanted = mixpeek.ListWebhooksRequest(event_type="annotation.updated", is_active=True)
    page = webhooks.list_webhooks_organizations(list_webhooks_request=wanted)
    assert (page.total, [webhook.webhook_id for webhook in page.results]) == (
        1,
        [created.webhook_id],
    )
    webhooks.delete_webhook_organizations(created.webhook_id)
    webhooks.delete_webhook_organizations(created.webhook_id)
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        webhooks.get_webhook_organizations(created.webhook_id)


def test_it_delivers_what_was_asked_for_signed(
    box: Box, webhooks: mixpeek.WebhooksApi, receiver: Receiver, annotation_id: str
) -> None:
    webhooks.create_webhook_organizations(
        webhook_input(receiver.url, event_types=["annotation.updated", "annotation.deleted"]),
    )
    box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"label": "ripe"})
    first = receiver.next()
    body = json.loads(first.body)
    assert is_signed(first)
    assert first.headers["X-Own"] == "yes"
    assert body["event_type"] == "annotation.updated"
    assert body["subject"] == {"type": "annotation", "id": annotation_id}
    box.call("POST", "/v1/annotations", json={"document_id": "doc_1", "label": "unwanted"})
    box.call("DELETE", f"/v1/annotations/{annotation_id}")
    second = json.loads(receiver.next().body)
    assert second["event_type"] == "annotation.deleted"
    assert second["event_id"] != body["event_id"]


def test_it_tries_again_and_tells_how_it_went(
    box: Box, webhooks: mixpeek.WebhooksApi, receiver: Receiver, annotation_id: str
) -> None:
    created = webhooks.create_webhook_organizations(webhook_input(receiver.url))
    receiver.answers = [500]
    box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"label": "ripe"})
    refused, accepted = receiver.next(), receiver.next()
    assert json.loads(refused.body) == json.loads(accepted.body)
    assert is_signed(accepted)
    assert created.webhook_id is not None
    assert webhooks.get_webhook_organizations(created.webhook_id).is_active


def test_it_keeps_a_secret_that_an_update_leaves_alone(
    box: Box, webhooks: mixpeek.WebhooksApi, receiver: Receiver, annotation_id: str
) -> None:
    created = webhooks.create_webhook_organizations(webhook_input("http://127.0.0.1:9/x"))
    assert created.webhook_id is not None
    webhooks.update_webhook_organizations(
        created.webhook_id, webhook_input(receiver.url, secret="redacted")
    )
    box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"label": "ripe"})
    assert is_signed(receiver.next())
    webhooks.update_webhook_organizations(
        created.webhook_id, webhook_input(receiver.url, secret="")
    )
    box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"label": "rotten"})
    assert "X-Mixpeek-Signature" not in receiver.next().headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_name": ""},
        {"event_types": []},
        {"event_types": ["*"]},
        {"event_types": ["retriever.updated"]},
        {"channels": []},
        {"channels": [{"channel": "webhook", "configs": {}}]},
        {"channels": [{"channel": "webhook", "configs": {"url": "ftp://host/x"}}]},
        {"channels": [{"channel": "pigeon", "configs": {"url": "http://host/x"}}]},
        {"channels": [{"channel": "webhook", "configs": {"url": "http://host/x", "secret": "x"}}]},
        {"surprise": 1},
    ],
)
def test_it_refuses_what_is_not_a_webhook(box: Box, wrong: dict[str, Any]) -> None:
    good = {
        "webhook_name": "ours",
        "event_types": ["annotation.updated"],
        "channels": [{"channel": "webhook", "configs": {"url": "http://127.0.0.1:9/x"}}],
    }
    reply = box.call("POST", "/v1/organizations/webhooks", json=good | wrong)
    assert reply.status_code == 422, reply.text


@pytest.mark.process
def test_it_loses_no_delivery_to_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    data, state = write_fruit_folder(tmp_path / "data"), tmp_path / "state.db"
    receiver.answers = [500, 500]
    with running_sandbox(data, state) as box:
        body = webhook_input(receiver.url).to_dict()
        assert box.call("POST", "/v1/organizations/webhooks", json=body).status_code == 200
        box.call("PATCH", "/v1/annotations/ann_1", json={"label": "mine"})
        first = receiver.next()
        box.kill()
    with running_sandbox(data, state):
        assert json.loads(receiver.next().body) == json.loads(first.body)


def test_it_has_none_in_the_older_dialect(old_box: Box) -> None:
    assert old_box.call("POST", "/v1/organizations/webhooks/list", json={}).status_code == 404
    assert old_box.call("GET", "/v1/events?event_type=annotation.updated").status_code == 404
