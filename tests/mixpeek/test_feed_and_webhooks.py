"""The change feed, and webhooks of the organization: what goes out and what is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reviewapp.mixpeek import Client, Garbled, NotFound, Refused
from tests.mixpeek.server import Answer, FakeMixpeek

EVENT = {
    "seq": 7,
    "cursor": "c7",
    "event_type": "annotation.updated",
    "resource_type": "annotation",
    "operation": "update",
    "payload": {"annotation_id": "ann_1"},
    "created_at": "2026-11-01T00:00:00Z",
}
WEBHOOK = {
    "webhook_id": "wh_0123456789abcdef",
    "webhook_name": "ours",
    "event_types": ["annotation.updated"],
    "channels": [
        {"channel": "webhook", "configs": {"url": "https://h/x", "signing_secret": "redacted"}}
    ],
    "is_active": False,
    "delivery_health": None,
}


def test_it_reads_the_feed_of_our_namespace(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body={"results": [EVENT], "next_cursor": "c9", "has_more": True}))
    page = client.events("annotation.updated", cursor="c6", limit=1000)
    assert (page.items[0].seq, page.items[0].payload, page.cursor, page.has_more) == (
        7,
        {"annotation_id": "ann_1"},
        "c9",
        True,
    )
    request = upstream.received[0]
    assert request.target == "/v1/events?event_type=annotation.updated&cursor=c6&limit=1000"
    assert request.headers["x-namespace"] == "ns_1"


@pytest.mark.parametrize(
    ("body", "cursor"),
    [
        ({"results": [EVENT], "has_more": False}, "c7"),
        ({"results": [], "has_more": False}, None),
        ({"results": [], "next_cursor": "c1", "has_more": False}, "c1"),
    ],
)
def test_it_knows_where_to_go_on(
    client: Client, upstream: FakeMixpeek, body: Any, cursor: str | None
) -> None:
    upstream.will(Answer(body=body))
    assert client.events("annotation.updated").cursor == cursor


@pytest.mark.parametrize(
    "body", [{}, {"results": [{"seq": 1}]}, {"results": [EVENT | {"seq": "7"}]}]
)
def test_it_believes_no_feed_that_makes_no_sense(
    client: Client, upstream: FakeMixpeek, body: Any
) -> None:
    upstream.will(Answer(body=body))
    with pytest.raises(Garbled):
        client.events("annotation.updated")


def test_it_tells_a_server_without_a_feed_from_one_that_is_away(
    client: Client, upstream: FakeMixpeek
) -> None:
    upstream.will(Answer(body={"detail": "Not Found"}, status=404))
    with pytest.raises(NotFound):
        client.events("annotation.updated")


def test_it_asks_for_no_more_than_a_page(client: Client) -> None:
    with pytest.raises(Refused):
        client.events("annotation.updated", limit=1001)


def test_it_lists_webhooks_without_naming_a_namespace(
    client: Client, upstream: FakeMixpeek
) -> None:
    upstream.will(Answer(body={"results": [WEBHOOK], "pagination": {}, "total": 1}))
    [webhook] = client.list_webhooks()
    assert (webhook.webhook_id, webhook.name, webhook.is_active, webhook.delivery_health) == (
        WEBHOOK["webhook_id"],
        "ours",
        False,
        {},
    )
    assert "x-namespace" not in upstream.received[0].headers


@pytest.mark.parametrize(
    ("webhook_id", "method", "path"),
    [(None, "POST", ""), ("wh_0123456789abcdef", "PUT", "/wh_0123456789abcdef")],
)
def test_it_registers_and_replaces(
    client: Client, upstream: FakeMixpeek, webhook_id: str | None, method: str, path: str
) -> None:
    upstream.will(Answer(body=WEBHOOK, status=201))
    created = client.put_webhook(
        name="ours",
        url="https://h/x",
        event_types=["annotation.updated"],
        signing_secret="s3cret",
        webhook_id=webhook_id,
    )
    request = upstream.received[0]
    assert created.name == "ours"
    assert (request.method, request.target) == (method, f"/v1/organizations/webhooks{path}")
    assert "x-namespace" not in request.headers
    body = request.body if isinstance(request.body, dict) else json.loads(request.body)
    assert body == {
        "webhook_name": "ours",
        "event_types": ["annotation.updated"],
        "channels": [
            {"channel": "webhook", "configs": {"url": "https://h/x", "signing_secret": "s3cret"}}
        ],
        "is_active": True,
    }
