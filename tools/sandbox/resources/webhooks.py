"""Webhooks of the organization: register, list, read, replace, delete.

Where the public reference is silent this server decides, and says so here: a webhook is found by
its id or its name, a read-only key in a body is accepted and ignored, only channels of kind
`webhook` are delivered to, and putting `is_active: true` ends a pause and forgets the failures.
"""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from tools.sandbox.errors import Complaint, Invalid, not_found
from tools.sandbox.request import Call
from tools.sandbox.resources.retrievers import pager
from tools.sandbox.rules.paging import list_pagination
from tools.sandbox.rules.validation import Field, Json, complaints_about, validate
from tools.sandbox.store import now, packed

_EVENTS = {
    "object": "created updated deleted",
    "objects": "created.batch",
    "document": "created updated deleted",
    "documents": "updated.batch deleted.batch",
    "collection": "created updated deleted documents.written documents.batch_completed",
    "cluster": "created updated deleted execution.started execution.completed execution.failed",
    "trigger": "created updated deleted paused resumed fired execution.completed execution.failed",
    "taxonomy": "created updated deleted",
    "alert": "created updated deleted triggered execution.completed execution.failed",
    "annotation": "created updated deleted",
    "resource": "executed execution_failed",
    "manifest": "apply.resource_state",
}
EVENT_TYPES: tuple[str, ...] = ()
for _resource, _verbs in _EVENTS.items():
    EVENT_TYPES += tuple(f"{_resource}.{_verb}" for _verb in _verbs.split())
REDACTED = "redacted"

_TEXT = Field(kind="text")
_TYPE = Field(kind="text", nullable=False, among=EVENT_TYPES)
_WEBHOOK = {
    "webhook_name": Field(kind="text", nullable=False, required=True, least=1, most=200),
    "event_types": Field(kind="array", nullable=False, required=True, least=1, items=_TYPE),
    "channels": Field(
        kind="array",
        nullable=False,
        required=True,
        least=1,
        items=Field(kind="object", nullable=False),
    ),
    "is_active": Field(kind="boolean"),
    "resource_types": Field(kind="array", items=Field(kind="text", nullable=False)),
    **dict.fromkeys(("webhook_id", "internal_id", "created_at", "updated_at"), _TEXT),
    "delivery_health": Field(kind="object"),
}
_WRITABLE = ("webhook_name", "event_types", "channels", "is_active", "resource_types")
_CHANNEL = {
    "channel": Field(
        kind="text",
        nullable=False,
        required=True,
        among=("webhook", "slack", "email"),
    ),
    "configs": Field(kind="object", nullable=False, required=True),
}
_CONFIGS = {
    "url": Field(kind="text", nullable=False, required=True),
    "headers": Field(kind="object"),
    "payload_template": Field(kind="object"),
    "timeout": Field(kind="number", least=0.1, most=60),
    "signing_secret": _TEXT,
}
_BY_ID_OR_NAME = """
SELECT body FROM webhooks WHERE ?1 IN (webhook_id, json_extract(body, '$.webhook_name'))
ORDER BY number
"""
_LIST = {"event_type": Field(kind="text", among=EVENT_TYPES), "is_active": Field(kind="boolean")}


def create(call: Call) -> Json:
    """Register a webhook."""
    values = _values(call)
    created_at = now()
    webhook = {
        "webhook_id": f"wh_{secrets.token_hex(8)}",
        **values,
        "channels": _with_secrets(values["channels"], []),
        "delivery_health": None,
        "created_at": created_at,
        "updated_at": created_at,
    }
    with call.store.writing():
        call.store.db.execute(
            "INSERT INTO webhooks (webhook_id, body) VALUES (?, ?)",
            (webhook["webhook_id"], packed(webhook)),
        )
    return _redacted(webhook)


def list_webhooks(call: Call) -> Json:
    """Return a page of webhooks, oldest first, filtered by `event_type` and `is_active`."""
    window = pager(call)
    include_total = call.flag("include_total")
    filters = call.dialect.accept(call.body, _LIST)
    event_type = filters.get("event_type")
    is_active = filters.get("is_active")

    matching = []
    for webhook in call.store.bodies("SELECT body FROM webhooks ORDER BY number"):
        has_type = event_type is None or event_type in webhook["event_types"]
        has_state = is_active is None or is_active == webhook["is_active"]
        if has_type and has_state:
            matching.append(webhook)

    page = matching[window.start : window.start + window.size]
    pagination = list_pagination(
        window,
        returned=len(page),
        total=len(matching),
        include_total=include_total,
    )
    return {
        "results": [_redacted(webhook) for webhook in page],
        "pagination": pagination,
        "total": len(matching),
    }


def get(call: Call) -> Json:
    """Return one webhook by its id or name; raises a 404."""
    return _redacted(_find(call))


def replace(call: Call) -> Json:
    """Replace a webhook; what it had of secrets stays where the body says `redacted` or nothing."""
    values = _values(call)
    with call.store.writing():
        webhook = _find(call)
        webhook |= values | {
            "channels": _with_secrets(values["channels"], webhook["channels"]),
            "updated_at": now(),
        }
        if webhook["is_active"]:
            webhook["delivery_health"] = None
        keep(call.store.db, webhook)
    return _redacted(webhook)


def delete(call: Call) -> None:
    """Delete a webhook, if there is one, and its pending deliveries."""
    with call.store.writing():
        sql = "DELETE FROM webhooks WHERE webhook_id = ? RETURNING webhook_id"
        for (webhook_id,) in call.store.db.execute(sql, (call.path["webhook_id"],)).fetchall():
            call.store.db.execute("DELETE FROM deliveries WHERE webhook_id = ?", (webhook_id,))


def keep(db: Any, webhook: Json) -> None:
    """Write a webhook that is there already, inside the open transaction."""
    db.execute(
        "UPDATE webhooks SET body = ? WHERE webhook_id = ?",
        (packed(webhook), webhook["webhook_id"]),
    )


def _find(call: Call) -> Json:
    name = call.path["webhook_id"]
    webhook = call.store.body(_BY_ID_OR_NAME, name)
    if webhook is None:
        raise not_found("webhook", name)
    return webhook


def _values(call: Call) -> Json:
    values = validate({} if call.body is None else call.body, _WEBHOOK, strict=True)
    complaints: list[Complaint] = []
    for number, channel in enumerate(values["channels"]):
        complaints += _channel_complaints(channel, number)
    if complaints:
        raise Invalid(complaints)

    writable = {key: values.get(key) for key in _WRITABLE}
    writable["is_active"] = values.get("is_active") is not False
    return writable


def _channel_complaints(channel: Json, number: int) -> list[Complaint]:
    at = ("body", "channels", number)
    complaints = complaints_about(channel, _CHANNEL, strict=True, at=at)
    if complaints or channel["channel"] != "webhook":
        return complaints
    configs = channel["configs"]
    complaints = complaints_about(configs, _CONFIGS, strict=True, at=(*at, "configs"))
    if not complaints and urlsplit(configs["url"]).scheme not in {"http", "https"}:
        complaints.append(
            Complaint(
                kind="url_parsing",
                location=(*at, "configs", "url"),
                message="Not an http(s) URL",
            )
        )
    return complaints


def _with_secrets(channels: list[Json], before: list[Json]) -> list[Json]:
    """Return the channels to store.

    A secret that is missing or redacted is the one that its position had; "" removes it.
    """
    stored: list[Json] = json.loads(packed(channels))
    for number, channel in enumerate(stored):
        configs = channel["configs"]
        secret = configs.get("signing_secret")
        if secret in {None, REDACTED}:
            secret = None
            if number < len(before):
                secret = before[number]["configs"].get("signing_secret")
        configs["signing_secret"] = secret or None
    return stored


def _redacted(webhook: Json) -> Json:
    body: Json = json.loads(packed(webhook))
    for channel in body["channels"]:
        if channel["configs"].get("signing_secret"):
            channel["configs"]["signing_secret"] = REDACTED
    return body
