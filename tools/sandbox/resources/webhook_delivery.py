"""Delivers events to the registered webhooks: signed, at least once, in no promised order, again
after a failure.

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
    """Note for each active webhook that wants this event that it is to be delivered, in the open
    transaction.
    """
    for webhook_id, body in db.execute("SELECT webhook_id, body FROM webhooks").fetchall():
        kept = json.loads(body)
        of_kind = not kept["resource_types"] or row["resource_type"] in kept["resource_types"]
        if kept["is_active"] and of_kind and row["event_type"] in kept["event_types"]:
            for number, channel in enumerate(kept["channels"]):
                if channel["channel"] == "webhook":
                    values = (webhook_id, number, seq, time.time())
                    db.execute(
                        "INSERT INTO deliveries (webhook_id, channel, seq, due) VALUES (?, ?, ?, ?)",
                        values,
                    )


def signature(secret: str, body: bytes, at: int) -> str:
    """Return what `X-Mixpeek-Signature` says. Pure."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def told(seq: int, row: Json) -> Json:
    """Return the body of a delivery. Pure."""
    payload = row["payload"]
    return {
        "event_id": f"evt_{seq:016x}",
        "event_type": row["event_type"],
        "occurred_at": row["created_at"],
        "namespace_id": row["namespace_id"],
        "subject": {"type": row["resource_type"], "id": payload.get(f"{row['resource_type']}_id")},
        "metadata": payload,
        "cache_scope": {"scope": row["resource_type"]},
    }


class Courier:
    """The one task that delivers; `wake` it when something was queued."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._news.clear()
            if due := self._due():
                await asyncio.gather(*map(self._deliver, due))
                continue
            try:
                await asyncio.wait_for(self._news.wait(), timeout=self._until_next())
            except TimeoutError:
                continue

    def _until_next(self) -> float | None:
        (due,) = self._store.one("SELECT min(due) FROM deliveries")
        return None if due is None else max(due - time.time(), 0.01)

    def _due(self) -> list[Delivery]:
        sql = (
            "SELECT deliveries.number, deliveries.channel, attempts, seq, events.body, webhooks.body FROM deliveries"
            " JOIN events USING (seq) JOIN webhooks USING (webhook_id) WHERE due <= ? ORDER BY due LIMIT ?"
        )
        rows = self._store.db.execute(sql, (time.time(), _AT_ONCE)).fetchall()
        return [
            _delivery(
                json.loads(webhook),
                channel,
                _body(seq, event),
                number=number,
                attempts=attempts,
            )
            for number, channel, attempts, seq, event, webhook in rows
        ]

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
            self._note(delivery.webhook_id, failure)

    def _note(self, webhook_id: str, failure: str) -> None:
        kept = self._store.body("SELECT body FROM webhooks WHERE webhook_id = ?", webhook_id)
        if kept is None or (not failure and not kept["delivery_health"]):
            return
        kept["delivery_health"] = (
            _health(kept["delivery_health"] or {}, failure) if failure else None
        )
        if failure and kept["delivery_health"]["paused_at"]:
            kept["is_active"] = False
            self._store.db.execute("DELETE FROM deliveries WHERE webhook_id = ?", (webhook_id,))
        keep(self._store.db, kept)


def _health(before: Json, failure: str) -> Json:
    failures = before.get("consecutive_failures", 0) + 1
    paused = failures >= _PAUSED_AFTER
    return {
        "consecutive_failures": failures,
        "first_failure_at": before.get("first_failure_at") or now(),
        "last_failure_at": now(),
        "last_failure_cause": failure,
        "paused_at": now() if paused else None,
        "paused_reason": f"{failures} deliveries failed in a row" if paused else None,
    }


def _body(seq: int, event: str) -> bytes:
    return packed(told(seq, json.loads(event))).encode()


def _delivery(kept: Json, channel: int, body: bytes, *, number: int, attempts: int) -> Delivery:
    # The webhook may have been replaced by one with fewer channels.
    configs = kept["channels"][min(channel, len(kept["channels"]) - 1)]["configs"]
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
        webhook_id=kept["webhook_id"],
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
            return (
                ""
                if 200 <= reply.status_code < 300
                else f"the receiver answered {reply.status_code}"
            )
    except requests.RequestException as error:
        return f"the receiver could not be reached ({type(error).__name__})"
    finally:
        session.close()
