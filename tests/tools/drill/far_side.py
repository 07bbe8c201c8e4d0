"""Mixpeek in this process, for tests of thousands of requests: the sandbox, with faults.

The weather meets the first request it is meant for: what is lost before or after it was carried
out, what is answered instead, who gets in between, and whether our own process ends there.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from reviewapp.mixpeek.client import Client
from tools.drill.clients.external_editor import KEY as STRANGER_KEY
from tools.drill.collect import name_of
from tools.launch.config import SANDBOX_KEY, SANDBOX_NAMESPACE
from tools.sandbox.app import build
from tools.sandbox.dialect import CURRENT, Dialect
from tools.sandbox.endpoint import World
from tools.sandbox.faults import Answer
from tools.sandbox.resources.media import Library
from tools.sandbox.resources.webhook_delivery import Courier
from tools.sandbox.store import Store

OURS = name_of(SANDBOX_KEY)
HTML = b"<html>Bad gateway</html>"
READ, WRITE = "read", "write"
# What can become of a request, by when it goes wrong: before it is carried out, after, or by its
# answer alone.
BEFORE = ("lost", "late", "429", "503", "html", "crash")
AFTER = ("lost", "late", "500", "html", "cut", "crash")


class Crash(BaseException):
    """Our process ends here, as by `kill -9`: nothing of ours may catch it."""


class FarSide:
    """One namespace. `weather` is (read or write, before or after, fault) for one request, or None.

    `meanwhile` is called once, right before the next write is carried out.
    """

    def __init__(self) -> None:
        self._store = Store(None)
        self._store.db.execute("INSERT INTO namespaces VALUES (?)", (SANDBOX_NAMESPACE,))
        library = Library(folder=Path(), secret="s", lifetime=60)
        courier = Courier(self._store)
        self._app = build(
            World(
                store=self._store,
                dialect=Dialect(CURRENT),
                library=library,
                key=None,
                courier=courier,
            )
        )
        self._loop = asyncio.new_event_loop()
        self.weather: tuple[str, str, str] | None = None
        self.meanwhile: Callable[[], None] | None = None

    def client(self) -> Client:
        """Return our client, talking to this."""
        session = requests.Session()
        session.mount("http://", _Wire(self))
        return Client(
            base_url="http://127.0.0.1:9",
            api_key=SANDBOX_KEY,
            namespace=SANDBOX_NAMESPACE,
            session=session,
        )

    def edit(self, annotation_id: str, values: Mapping[str, Any]) -> None:
        """Edit as a stranger does, in fine weather."""
        answer = self.carry_out(
            "PATCH",
            f"/v1/annotations/{annotation_id}",
            json.dumps(values).encode(),
            STRANGER_KEY,
        )
        assert answer.status == 200, answer.body

    def records(self) -> list[dict[str, Any]]:
        """Return every annotation, in fine weather."""
        answer = self.carry_out("POST", "/v1/annotations/list?limit=500", b"{}", SANDBOX_KEY)
        rows: list[dict[str, Any]] = json.loads(answer.body)["results"]
        return rows

    def close(self) -> None:
        """Let go of the store and of the loop."""
        self._loop.close()
        self._store.close()

    def carry_out(self, method: str, target: str, body: bytes, key: str) -> Answer:
        """Have the sandbox answer one request."""
        path, _, query = target.partition("?")
        headers = {
            "authorization": f"Bearer {key}",
            "x-namespace": SANDBOX_NAMESPACE,
            "host": "127.0.0.1",
        }
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("127.0.0.1", 9), "client": ("127.0.0.1", 9), "extensions": {},
        }  # fmt: skip
        return self._loop.run_until_complete(self._answer(scope, body))

    async def _answer(self, scope: dict[str, Any], body: bytes) -> Answer:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(
            status=sent[0]["status"],
            headers=headers,
            body=b"".join(part.get("body", b"") for part in sent),
        )

    def meet(self, request: requests.PreparedRequest) -> Answer:
        """Answer one request of ours as the weather is."""
        kind = WRITE if _writes(request) else READ
        when, what = self._passing(kind)
        if when == "before":
            return _spoilt(what, None)
        if kind == WRITE and self.meanwhile:
            meanwhile = self.meanwhile
            self.meanwhile = None
            meanwhile()

        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        answer = self.carry_out(request.method or "", request.path_url, body, SANDBOX_KEY)
        if when:
            return _spoilt(what, answer)
        return answer

    def _passing(self, kind: str) -> tuple[str, str]:
        if self.weather is None or self.weather[0] != kind:
            return "", ""
        _, when, what = self.weather
        self.weather = None
        return when, what


def _writes(request: requests.PreparedRequest) -> bool:
    return request.method != "GET" and not (request.path_url.startswith("/v1/annotations/list"))


def _spoilt(what: str, answer: Answer | None) -> Answer:
    match what:
        case "crash":
            raise Crash
        case "lost":
            raise requests.ConnectionError("connection aborted")
        case "late":
            raise requests.ReadTimeout("read timed out")
        case "html":
            return Answer(status=200, headers={"content-type": "text/html"}, body=HTML)
        case "cut":
            assert answer is not None
            return Answer(
                status=answer.status,
                headers=answer.headers,
                body=answer.body[: len(answer.body) // 2],
            )
    return Answer(
        status=int(what),
        headers={"retry-after": "1", "content-type": "application/json"},
        body=b"{}",
    )


class _Wire(HTTPAdapter):
    """Hands what `requests` would send to the far side."""

    def __init__(self, far_side: FarSide) -> None:
        super().__init__()
        self._far_side = far_side

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,
        **kwargs: Any,
    ) -> requests.Response:
        answer = self._far_side.meet(request)
        headers = {
            name: value for name, value in answer.headers.items() if name != "content-length"
        }
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(answer.body),
            headers=headers,
            status=answer.status,
            preload_content=False,
        )
        return self.build_response(request, raw)
