"""The change feed: one ordered sequence, written in the transaction of the change it tells of."""

from __future__ import annotations

import json
from typing import Any

from tools.sandbox.errors import Complaint, Invalid, bad_request
from tools.sandbox.request import Call
from tools.sandbox.resources import webhook_delivery
from tools.sandbox.rules.paging import fingerprint, pack_cursor, unpack_cursor
from tools.sandbox.rules.validation import Json
from tools.sandbox.store import now, packed

_OPERATIONS = {"created": "insert", "updated": "update", "deleted": "delete"}


def record(call: Call, event_type: str, payload: Json) -> None:
    """Append an event and queue it for the webhooks that want it, inside `store.writing()`.

    `reason` is the sandbox's own addition to the row, for tests: upstream shows it in the audit log
    (see `audit`).
    """
    resource, _, verb = event_type.partition(".")
    row = {
        "event_type": event_type,
        "resource_type": resource,
        "operation": _OPERATIONS.get(verb, "other"),
        "payload": payload,
        "namespace_id": call.namespace,
        "trace_id": call.request_id,
        "reason": call.change_reason,
        "created_at": now(),
    }
    sql = "INSERT INTO events (namespace_id, event_type, body) VALUES (?, ?, ?) RETURNING seq"
    [(seq,)] = call.store.db.execute(sql, (call.namespace, event_type, packed(row))).fetchall()
    webhook_delivery.queue(call.store.db, seq, row)


def list_events(call: Call) -> Json:
    """Return a page of the feed after `cursor`, oldest first.

    A cursor is good for one set of filters only; raises a 400 otherwise.
    """
    limit = call.integer("limit", least=1, most=1000)
    if limit is None:
        limit = call.integer("page_size", least=1, most=1000) or 100

    namespace = call.query.get("namespace_id")
    if namespace and call.namespace and namespace != call.namespace:
        complaint = Complaint(
            kind="value_error",
            location=("query", "namespace_id"),
            message="must agree with the X-Namespace header",
        )
        raise Invalid([complaint])

    filters = (call.namespace or namespace or None, call.query.get("event_type"))
    filters_print = fingerprint(*filters)
    start = _start(call, filters_print)
    sql = "SELECT seq, body FROM events WHERE seq > ?1 AND (?2 IS NULL OR namespace_id = ?2)"
    sql += " AND (?3 IS NULL OR event_type = ?3) ORDER BY seq LIMIT ?4"
    rows = call.store.db.execute(sql, (start, *filters, limit + 1)).fetchall()
    page = [_entry(seq, body, filters_print) for seq, body in rows[:limit]]
    last_seq = page[-1]["seq"] if page else start
    return {
        "results": page,
        "next_cursor": _cursor(last_seq, filters_print),
        "has_more": len(rows) > limit,
    }


def _start(call: Call, filters: str) -> int:
    cursor = call.query.get("cursor") or call.query.get("next_cursor") or call.query.get("after")
    if not cursor:
        return 0
    position = unpack_cursor(cursor)
    if position.get("filters") != filters or not isinstance(position.get("seq"), int):
        raise bad_request("The cursor belongs to other filters; start without a cursor")
    return int(position["seq"])


def _entry(seq: int, body: str, filters: str) -> dict[str, Any]:
    return {"seq": seq, "cursor": _cursor(seq, filters), **json.loads(body)}


def _cursor(seq: int, filters: str) -> str:
    return pack_cursor({"seq": seq, "filters": filters})
