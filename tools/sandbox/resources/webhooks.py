"""Webhooks of the organization: register, list, read, replace, delete. (`webhook_delivery.py` delivers to them.)

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
EVENT_TYPES = tuple(f"{resource}.{verb}" for resource, verbs in _EVENTS.items() for verb in verbs.split())
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
_OURS = ("webhook_name", "event_types", "channels", "is_active", "resource_types")
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
_LIST = {"event_type": Field(kind="text", among=EVENT_TYPES), "is_active": Field(kind="boolean")}


def create(call: Call) -> Json:
    """Register a webhook."""
    asked = _asked(call)
    moment = now()
    kept = {
        "webhook_id": f"wh_{secrets.token_hex(8)}",
        **asked,
        "channels": _with_secrets(asked["channels"], []),
        "delivery_health": None,
        "created_at": moment,
        "updated_at": moment,
    }
    with call.store.writing():
        call.store.db.execute(
            "INSERT INTO webhooks (webhook_id, body) VALUES (?, ?)",
            (kept["webhook_id"], packed(kept)),
        )
    return _shown(kept)


def list_webhooks(call: Call) -> Json:
    """Return a page of webhooks, oldest first, narrowed by event type and by whether they are active."""
    window, include_total = pager(call), call.flag("include_total")
    asked = call.dialect.accept(call.body, _LIST)
    wanted, active = asked.get("event_type"), asked.get("is_active")
    every = call.store.bodies("SELECT body FROM webhooks ORDER BY number")
    matching = [
        each for each in every if wanted in {None, *each["event_types"]} and active in {None, each["is_active"]}
    ]
    page = matching[window.start : window.start + window.size]
    pages = list_pagination(
        window,
        returned=len(page),
        total=len(matching),
        include_total=include_total,
    )
    return {"results": [_shown(each) for each in page], "pagination": pages, "total": len(matching)}


def get(call: Call) -> Json:
    """Return one webhook by its id or name; raises a 404."""
    return _shown(_find(call))


def replace(call: Call) -> Json:
    """Replace a webhook; what it had of secrets stays where the body says `redacted` or nothing."""
    asked = _asked(call)
    with call.store.writing():
        kept = _find(call)
        kept |= asked | {
            "channels": _with_secrets(asked["channels"], kept["channels"]),
            "updated_at": now(),
        }
        if kept["is_active"]:
            kept["delivery_health"] = None
        keep(call.store.db, kept)
    return _shown(kept)


def delete(call: Call) -> None:
    """Delete a webhook and what was still to be delivered to it; deleting what is not there is fine."""
    with call.store.writing():
        sql = "DELETE FROM webhooks WHERE webhook_id = ? RETURNING webhook_id"
        for (webhook_id,) in call.store.db.execute(sql, (call.path["webhook_id"],)).fetchall():
            call.store.db.execute("DELETE FROM deliveries WHERE webhook_id = ?", (webhook_id,))


def keep(db: Any, kept: Json) -> None:
    """Write a webhook that is there already, inside the open transaction."""
    db.execute(
        "UPDATE webhooks SET body = ? WHERE webhook_id = ?",
        (packed(kept), kept["webhook_id"]),
    )


def _find(call: Call) -> Json:
    named = call.path["webhook_id"]
    sql = "SELECT body FROM webhooks WHERE ?1 IN (webhook_id, json_extract(body, '$.webhook_name')) ORDER BY number"
    found = call.store.body(sql, named)
    if found is None:
        raise not_found("webhook", named)
    return found


def _asked(call: Call) -> Json:
    values = validate({} if call.body is None else call.body, _WEBHOOK, strict=True)
    complaints = [each for at, one in enumerate(values["channels"]) for each in _channel_complaints(one, at)]
    if complaints:
        raise Invalid(complaints)
    given = {key: values.get(key) for key in _OURS}
    return given | {"is_active": values.get("is_active") is not False}


def _channel_complaints(channel: Json, number: int) -> list[Complaint]:
    at = ("body", "channels", number)
    found = complaints_about(channel, _CHANNEL, strict=True, at=at)
    if found or channel["channel"] != "webhook":
        return found
    configs = channel["configs"]
    found = complaints_about(configs, _CONFIGS, strict=True, at=(*at, "configs"))
    if not found and urlsplit(configs["url"]).scheme not in {"http", "https"}:
        found.append(
            Complaint(
                kind="url_parsing",
                location=(*at, "configs", "url"),
                message="Not an http(s) URL",
            )
        )
    return found


def _with_secrets(asked: list[Json], before: list[Json]) -> list[Json]:
    """Return the channels to keep: a secret that is not given anew is the one its place had, "" is none."""
    channels: list[Json] = json.loads(packed(asked))
    for number, channel in enumerate(channels):
        had = before[number]["configs"].get("signing_secret") if number < len(before) else None
        given = channel["configs"].get("signing_secret")
        channel["configs"]["signing_secret"] = had if given in {None, REDACTED} else given or None
    return channels


def _shown(kept: Json) -> Json:
    shown: Json = json.loads(packed(kept))
    for channel in shown["channels"]:
        if channel["configs"].get("signing_secret"):
            channel["configs"]["signing_secret"] = REDACTED
    return shown
