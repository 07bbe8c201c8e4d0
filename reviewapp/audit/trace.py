"""Tell the database who acts, through which door, and why, so that its triggers can write it down.

`acting` opens the transaction in which somebody changes something. What it says travels as one JSON value in a
transaction-local setting (`reviewapp.acting`), which is gone with the transaction; a change made outside is
recorded with origin `sql`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Protocol

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from reviewapp.audit.actions import Origin

_SETTING = "reviewapp.acting"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


class Person(Protocol):
    """Whoever acts: anything with a key and a name, such as a user."""

    pk: int

    def get_username(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What is known of the current action: door, request, person and reason."""

    origin: Origin = Origin.SHELL
    request_id: str = ""
    actor_id: int | None = None
    actor_name: str = ""
    note: str = ""

    def as_json(self) -> str:
        """Return what the triggers read; see `tracking.py`."""
        return json.dumps(self.__dict__)


_trace: ContextVar[Trace | None] = ContextVar("reviewapp_trace", default=None)


def current() -> Trace:
    """Return the trace of this thread or task; outside any, a bare command line."""
    return _trace.get() or Trace()


@contextmanager
def tracing(origin: Origin, request_id: str = "") -> Iterator[str]:
    """Mark everything inside as coming through `origin`; yields the request id (made when not given)."""
    request_id = request_id or uuid.uuid4().hex
    token = _trace.set(Trace(origin=origin, request_id=request_id))
    try:
        yield request_id
    finally:
        _trace.reset(token)


@contextmanager
def acting(actor: Person | None, *, note: str = "") -> Iterator[None]:
    """Open a transaction in which `actor` (None: the machine itself) changes things, because of `note`."""
    before = current()
    inside = replace(
        before,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "",
        note=note,
    )
    token = _trace.set(inside)
    try:
        with transaction.atomic():
            nested = len(connection.savepoint_ids) > 0
            _tell(inside.as_json())
            yield
            if nested:
                _tell(before.as_json() if before.actor_name or before.note else "")
    finally:
        _trace.reset(token)


def _tell(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [_SETTING, value])


class TraceMiddleware:
    """Give each request an id (a caller's own when it is a sane one) and mark its changes as made on the web."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        with tracing(Origin.WEB, given if _ACCEPTABLE_ID.match(given) else "") as request_id:
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
