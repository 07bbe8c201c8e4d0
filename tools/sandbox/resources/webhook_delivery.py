"""Deliver events to the registered webhooks: signed, at least once, in no promised order.

What is to be delivered is written in the transaction of the change it tells of, so a kill loses
none. How often and when upstream tries again is unknown; here it is 8 times, after 1, 2, 4 ...
seconds. Twenty failures in a row pause the webhook, which drops what was still to be delivered to
it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

import requests

from tools.sandbox.resources.webhooks import keep
from tools.sandbox.rules.validation import Json
from tools.sandbox.store import Store, now, packed

MOST_ATTEMPTS = 8
_PAUSED_AFTER = 20
_AT_ONCE = 8
_FIRST_WAIT = 1.0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event on its way to one address."""

    number: int
    webhook_id: str
    url: str
    headers: dict[str, str]
    body: bytes
    timeout: float
    attempts: int


def queue(db: Any, seq: int, row: Json) -> None:
    """Queue the event for each active webhook that wants it, inside the open transaction."""
    sql = "INSERT INTO deliveries (webhook_id, channel, seq, due) VALUES (?, ?, ?, ?)"
    for webhook_id, body in db.execute("SELECT webhook_id, body FROM webhooks").fetchall():
        webhook = json.loads(body)
        if not _wants(webhook, row):
            continue
        for index, channel in enumerate(webhook["channels"]):
            if channel["channel"] == "webhook":
                db.execute(sql, (webhook_id, index, seq, time.time()))


def _wants(webhook: Json, row: Json) -> bool:
    if not webhook["is_active"] or row["event_type"] not in webhook["event_types"]:
        return False
    resource_types = webhook["resource_types"]
    return not resource_types or row["resource_type"] in resource_types


def signature(secret: str, body: bytes, at: int) -> str:
    """Return what `X-Mixpeek-Signature` says. Pure."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def delivery_body(seq: int, row: Json) -> Json:
    """Return the body of a delivery. Pure."""
    payload = row["payload"]
    resource_type = row["resource_type"]
    return {
        "event_id": f"evt_{seq:016x}",
        "event_type": row["event_type"],
        "occurred_at": row["created_at"],
        "namespace_id": row["namespace_id"],
        "subject": {"type": resource_type, "id": payload.get(f"{resource_type}_id")},
        "metadata": payload,
        "cache_scope": {"scope": resource_type},
    }


class Courier:
    """The one task that delivers; `wake` it when something was queued."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._woken.clear()
            due = self._due()
            if due:
                await asyncio.gather(*map(self._deliver, due))
                continue
            try:
                await asyncio.wait_for(self._woken.wait(), timeout=self._until_next())
            except TimeoutError:
                continue

    def _until_next(self) -> float | None:
        (due,) = self._store.one("SELECT min(due) FROM deliveries")
        if due is None:
            return None
        return max(float(due) - time.time(), 0.01)

    def _due(self) -> list[Delivery]:
        sql = (
            "SELECT deliveries.number, deliveries.channel, attempts, seq, events.body, webhooks.body FROM deliveries"
            " JOIN events USING (seq) JOIN webhooks USING (webhook_id) WHERE due <= ? ORDER BY due LIMIT ?"
        )
        rows = self._store.db.execute(sql, (time.time(), _AT_ONCE)).fetchall()
        deliveries = []
        for number, channel, attempts, seq, event, webhook in rows:
            body = packed(delivery_body(seq, json.loads(event))).encode()
            delivery = _delivery(
                json.loads(webhook), channel, body, number=number, attempts=attempts
            )
            deliveries.append(delivery)
        return deliveries

    async def _deliver(self, delivery: Delivery) -> None:
        failure = await asyncio.to_thread(_post, delivery)
        with self._store.writing():
            if failure and delivery.attempts + 1 < MOST_ATTEMPTS:
                due = time.time() + _FIRST_WAIT * 2**delivery.attempts
                sql = "UPDATE deliveries SET attempts = attempts + 1, due = ? WHERE number = ?"
                self._store.db.execute(sql, (due, delivery.number))
            else:
                self._store.db.execute(
                    "DELETE FROM deliveries WHERE number = ?",
                    (delivery.number,),
                )
            self._update_health(delivery.webhook_id, failure)

    def _update_health(self, webhook_id: str, failure: str) -> None:
        """Write what the attempt says of the webhook; `failure` is empty when it succeeded."""
        webhook = self._store.body("SELECT body FROM webhooks WHERE webhook_id = ?", webhook_id)
        if webhook is None:
            return

        before = webhook["delivery_health"]
        if not failure:
            if not before:
                return
            webhook["delivery_health"] = None
        else:
            health = _health(before or {}, failure)
            webhook["delivery_health"] = health
            if health["paused_at"]:
                webhook["is_active"] = False
                self._store.db.execute("DELETE FROM deliveries WHERE webhook_id = ?", (webhook_id,))
        keep(self._store.db, webhook)


def _health(before: Json, failure: str) -> Json:
    failures = before.get("consecutive_failures", 0) + 1
    paused_at = None
    paused_reason = None
    if failures >= _PAUSED_AFTER:
        paused_at = now()
        paused_reason = f"{failures} deliveries failed in a row"
    return {
        "consecutive_failures": failures,
        "first_failure_at": before.get("first_failure_at") or now(),
        "last_failure_at": now(),
        "last_failure_cause": failure,
        "paused_at": paused_at,
        "paused_reason": paused_reason,
    }


def _delivery(webhook: Json, channel: int, body: bytes, *, number: int, attempts: int) -> Delivery:
    # The webhook may have been replaced by one with fewer channels.
    index = min(channel, len(webhook["channels"]) - 1)
    configs = webhook["channels"][index]["configs"]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Mixpeek-Webhook/sandbox",
        **(configs.get("headers") or {}),
    }
    if configs.get("signing_secret"):
        headers["X-Mixpeek-Signature"] = signature(
            configs["signing_secret"],
            body,
            int(time.time()),
        )
    return Delivery(
        number=number,
        webhook_id=webhook["webhook_id"],
        url=configs["url"],
        headers=headers,
        body=body,
        timeout=configs.get("timeout") or 10.0,
        attempts=attempts,
    )


def _post(delivery: Delivery) -> str:
    """Send it; return why it failed, "" when it was acknowledged."""
    session = requests.Session()
    # The receiver is on this machine, whatever proxy the environment names.
    session.trust_env = False
    try:
        with session.post(
            delivery.url,
            data=delivery.body,
            headers=delivery.headers,
            timeout=delivery.timeout,
            allow_redirects=False,
        ) as reply:
            if 200 <= reply.status_code < 300:
                return ""
            return f"the receiver answered {reply.status_code}"
    except requests.RequestException as error:
        return f"the receiver could not be reached ({type(error).__name__})"
    finally:
        session.close()
