"""The calls about webhooks: /v1/organizations/webhooks.

Webhooks belong to the organization, so the calls name no namespace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import Json, RecordPage, WebhookRecord
from reviewapp.mixpeek.wire import Call

_PATH = "/v1/organizations/webhooks"


def list_page(*, limit: int, offset: int, cursor: str | None) -> Call[RecordPage[WebhookRecord]]:
    """`POST /v1/organizations/webhooks/list`, a page of all of them."""
    query: dict[str, str | int] = {"limit": limit}
    if cursor:
        query["cursor"] = cursor
    else:
        query["offset"] = offset

    parse_page = partial(
        record_parser.parse_page,
        parse_row=record_parser.parse_webhook,
        total_key="total",
    )
    return Call(
        method="POST",
        path=f"{_PATH}/list",
        query=query,
        body=wire.encode_body({}),
        reader=parse_page,
        namespaced=False,
    )


def create(body: Mapping[str, object]) -> Call[WebhookRecord]:
    """`POST /v1/organizations/webhooks`."""
    return Call(
        method="POST",
        path=_PATH,
        body=wire.encode_body(body),
        reader=record_parser.parse_webhook,
        writes=True,
        namespaced=False,
    )


def replace(webhook_id: str, body: Mapping[str, object]) -> Call[WebhookRecord]:
    """`PUT /v1/organizations/webhooks/{id}` with the whole object."""
    return Call(
        method="PUT",
        path=wire.build_path(f"{_PATH}/{{webhook_id}}", webhook_id=webhook_id),
        body=wire.encode_body(body),
        reader=record_parser.parse_webhook,
        writes=True,
        namespaced=False,
    )


def build_webhook(
    *,
    name: str,
    url: str,
    event_types: Sequence[str],
    signing_secret: str | None,
    headers: Mapping[str, str],
) -> Json:
    """Return the body of an active webhook with one channel, for `create` and `replace`. Pure."""
    options = wire.without_none(signing_secret=signing_secret, headers=dict(headers) or None)
    configs: Json = {"url": url, **options}
    return {
        "webhook_name": name,
        "event_types": list(event_types),
        "channels": [{"channel": "webhook", "configs": configs}],
        "is_active": True,
    }
