"""The outermost layer: every request gets an id, is written down, and may meet a scripted fault."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import deque
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tools.sandbox.faults import Answer, Fault, Script
from tools.sandbox.rules.validation import Json

KEPT_REQUESTS = 2000
TRANSPORT = "sandbox.transport"
OWN = "/_sandbox"


class Gate:
    """Wraps the application; `script` and `requests` are shared with what `/_sandbox` shows."""

    def __init__(self, app: ASGIApp, script: Script, requests: deque[Json]) -> None:
        self._app = app
        self._script = script
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Routed by the raw path, so that an id holding an encoded slash stays one segment.
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        request_id = _header(scope, b"x-request-id") or f"req_{secrets.token_hex(8)}"
        scope = {**scope, "path": path, "request_id": request_id}
        body = await _whole_body(receive)
        replayed = _replay(body, receive)
        if path.startswith(OWN):
            await self._app(scope, replayed, send)
            return
        entry = _entry(scope, path, body, request_id)
        self._requests.append(entry)
        tracing = _traced(send, request_id, entry)
        fault = self._script.take(scope["method"], path)
        if fault is None:
            await self._app(scope, replayed, tracing)
        else:
            await self._misbehave(fault, scope, replayed, tracing, entry)

    async def _misbehave(
        self,
        fault: Fault,
        scope: Scope,
        receive: Receive,
        send: Send,
        entry: Json,
    ) -> None:
        true_answer = None
        if fault.applies_first:
            true_answer = await self._answered(scope, receive)
        await asyncio.sleep(fault.delay)

        if fault.drop:
            entry["dropped"] = fault.drop
            await _hang_up(scope)
            return

        if true_answer is None and not fault.scripted:
            true_answer = await self._answered(scope, receive)
        answer = fault.answer(true_answer)
        sent = answer.body
        if fault.truncate is not None:
            sent = sent[: fault.truncate]
        await _send_answer(answer, sent, send)
        if len(sent) < len(answer.body):
            scope["extensions"][TRANSPORT].close()
            await asyncio.sleep(0)

    async def _answered(self, scope: Scope, receive: Receive) -> Answer:
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        headers = {
            name.decode().lower(): value.decode("latin-1") for name, value in messages[0]["headers"]
        }
        body = b"".join(message.get("body", b"") for message in messages[1:])
        return Answer(status=messages[0]["status"], headers=headers, body=body)


def _entry(scope: Scope, path: str, body: bytes, request_id: str) -> Json:
    return {
        "at": time.time(),
        "method": scope["method"],
        "path": path,
        "query": scope["query_string"].decode("latin-1"),
        "body": _as_json(body),
        "namespace": _header(scope, b"x-namespace"),
        "change_reason": _header(scope, b"x-change-reason"),
        "request_id": request_id,
        "status": None,
        "dropped": None,
    }


def _as_json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def _whole_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        # After the body only a real disconnect may be told: a streaming answer stops at one.
        if messages:
            return messages.pop()
        return await receive()

    return replayed


def _traced(send: Send, request_id: str, entry: Json) -> Send:
    async def traced(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry["status"] = message["status"]
            headers = [*message.get("headers", []), (b"x-request-id", request_id.encode("latin-1"))]
            message = {**message, "headers": headers}
        await send(message)

    return traced


async def _send_answer(answer: Answer, sent: bytes, send: Send) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    more_body = len(sent) < len(answer.body)
    await send({"type": "http.response.body", "body": sent, "more_body": more_body})


async def _hang_up(scope: Scope) -> None:
    scope["extensions"][TRANSPORT].abort()
    # The server learns of the loss in its next turn; returning earlier would look like a forgotten
    # answer.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
