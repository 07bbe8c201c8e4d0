"""The organization's audit log: an event for each change of an annotation or a retriever.

The reason is what the write carried as `X-Change-Reason` (the official SDK says so of
`AuditEventResponse.reason`). Where the public reference is silent this server decides: `changes` is
`{field: {"old": ..., "new": ...}}` and null for what was created or deleted, a page holds 100
events unless `limit` says otherwise, `start` and `end` include both ends, and changes of webhooks
are not logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.sandbox.errors import Invalid
from tools.sandbox.request import Call
from tools.sandbox.rules.validation import Field, Json, check, parse_instant
from tools.sandbox.store import instant_text, new_id, now, packed

_RESOURCE_TYPES = (
    "organization",
    "user",
    "api_key",
    "namespace",
    "collection",
    "document",
    "bucket",
    "retriever",
    "cluster",
    "taxonomy",
    "storage_connection",
    "alert",
    "annotation",
    "secret",
    "webhook",
)
_FILTERS = {
    "resource_type": Field(kind="text", among=_RESOURCE_TYPES),
    "resource_id": Field(kind="text"),
    "actor_id": Field(kind="text"),
    "action": Field(kind="text"),
}
_BOUNDS = {"start": "timestamp >= ?", "end": "timestamp <= ?"}


def log_change(call: Call, action: str, resource_id: str, changes: Json | None = None) -> None:
    """Append an audit event such as `annotation_updated`; to be called inside `store.writing()`."""
    event = {
        "audit_id": new_id("audit"),
        "timestamp": now(),
        "resource_type": action.partition("_")[0],
        "resource_id": resource_id,
        "action": action,
        "actor_id": call.actor_id,
        "actor_type": "api_key",
        "status": "success",
        "changes": changes,
        "reason": call.change_reason,
    }
    sql = (
        "INSERT INTO audit_events (timestamp, resource_type, resource_id, actor_id, action, body)"
        " VALUES (:timestamp, :resource_type, :resource_id, :actor_id, :action, :body)"
    )
    call.store.db.execute(sql, {**event, "changes": None, "body": packed(event)})


def differences(before: Mapping[str, Any], after: Mapping[str, Any], fields: list[str]) -> Json:
    """Return the old and the new value of each of `fields`. Pure."""
    return {field: {"old": before.get(field), "new": after.get(field)} for field in fields}


def list_events(call: Call) -> Json:
    """Return a page of the log, newest first, by `skip` and `limit`; raises 422."""
    skip = call.integer("skip", least=0) or 0
    limit = call.integer("limit", least=1, most=1000) or 100
    conditions, values = _conditions(call)
    where = ""
    if conditions:
        where = f"WHERE {' AND '.join(conditions)}"

    total = call.store.one(f"SELECT count(*) FROM audit_events {where}", *values)[0]  # noqa: S608 - columns from a fixed list
    sql = f"SELECT body FROM audit_events {where} ORDER BY number DESC LIMIT ? OFFSET ?"  # noqa: S608 - as above
    page = list(call.store.bodies(sql, *values, limit, skip))

    return {"results": page, "total": total, "skip": skip, "limit": limit}


def _conditions(call: Call) -> tuple[list[str], list[str]]:
    conditions: list[str] = []
    values: list[str] = []

    for name, field in _FILTERS.items():
        if name in call.query:
            conditions.append(f"{name} = ?")
            values.append(_checked(call, name, field))

    for name, condition in _BOUNDS.items():
        if name in call.query:
            instant = _checked(call, name, Field(kind="instant"))
            conditions.append(condition)
            values.append(instant_text(parse_instant(instant)))

    return conditions, values


def _checked(call: Call, name: str, field: Field) -> str:
    value = call.query[name]
    complaints = check(value, field, ("query", name))
    if complaints:
        raise Invalid(complaints)
    return value
