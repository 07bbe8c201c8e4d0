"""The calls about webhooks: /v1/organizations/webhooks. They belong to the organization, so no namespace goes along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import Json, Page, WebhookRecord
from reviewapp.mixpeek.wire import Call

_PATH = "/v1/organizations/webhooks"


def listing(*, limit: int, offset: int, cursor: str | None) -> Call[Page[WebhookRecord]]:
    """`POST /v1/organizations/webhooks/list`, a page of all of them."""
    pager = {"cursor": cursor} if cursor else {"offset": offset}
    return Call(
        method="POST",
        path=f"{_PATH}/list",
        query={"limit": limit, **pager},
        body=wire.body({}),
        reader=partial(record_parser.page, row=record_parser.webhook, total_key="total"),
        namespaced=False,
    )


def create(body: Mapping[str, object]) -> Call[WebhookRecord]:
    """`POST /v1/organizations/webhooks`."""
    return Call(
        method="POST", path=_PATH, body=wire.body(body), reader=record_parser.webhook, writes=True, namespaced=False
    )


def replace(webhook_id: str, body: Mapping[str, object]) -> Call[WebhookRecord]:
    """`PUT /v1/organizations/webhooks/{id}` with the whole object."""
    return Call(
        method="PUT",
        path=wire.path(f"{_PATH}/{{webhook_id}}", webhook_id=webhook_id),
        body=wire.body(body),
        reader=record_parser.webhook,
        writes=True,
        namespaced=False,
    )


def described(
    *, name: str, url: str, event_types: Sequence[str], signing_secret: str | None, headers: Mapping[str, str]
) -> Json:
    """Return a webhook with one channel, active, as the two calls above take it. Pure."""
    configs: Json = {"url": url} | wire.given(signing_secret=signing_secret, headers=dict(headers) or None)
    return {
        "webhook_name": name,
        "event_types": list(event_types),
        "channels": [{"channel": "webhook", "configs": configs}],
        "is_active": True,
    }
