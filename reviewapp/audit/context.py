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

from reviewapp.asked import rows
from reviewapp.audit.actions import NOTICING, Origin

_SETTING = "reviewapp.acting"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


class Person(Protocol):
    """Whoever acts: anything with a key and a name, such as a user."""

    pk: int

    def get_username(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What is known of the current action: door, request, person and reason.

    `means` is what the person used, such as a token; it is told at the end of every reason.
    """

    origin: Origin = Origin.SHELL
    request_id: str = ""
    actor_id: int | None = None
    actor_name: str = ""
    note: str = ""
    means: str = ""

    def as_json(self) -> str:
        """Return what the triggers read (see `triggers.py`), without the characters that jsonb refuses."""
        said = self.__dict__ | {"note": "; ".join(filter(None, (self.note, self.means)))}
        return json.dumps({name: _storable(value) for name, value in said.items() if name != "means"})


_trace: ContextVar[Trace | None] = ContextVar("reviewapp_trace", default=None)
_told: ContextVar[str] = ContextVar("reviewapp_told", default="")
_subject: ContextVar[dict[str, str] | None] = ContextVar("reviewapp_subject", default=None)


def current() -> Trace:
    """Return the trace of this thread or task; outside any, a bare command line."""
    return _trace.get() or Trace()


def notices() -> bool:
    """Return whether what is changed now was done elsewhere before, and only noticed here."""
    return current().origin in NOTICING


def about(ref: str) -> None:
    """Note which ref the current request or job is about, for the log; forgotten when its tracing ends."""
    if (subject := _subject.get()) is not None:
        subject["ref"] = ref


def ref() -> str:
    """Return which ref the current request or job is about, "" when nobody said."""
    return (_subject.get() or {}).get("ref", "")


@contextmanager
def tracing(origin: Origin, request_id: str = "") -> Iterator[str]:
    """Mark everything inside as coming through `origin`; yields the request id (made when not given)."""
    request_id = request_id or uuid.uuid4().hex
    trace, subject = _trace.set(Trace(origin=origin, request_id=request_id)), _subject.set({})
    try:
        yield request_id
    finally:
        _subject.reset(subject)
        _trace.reset(trace)


def by_means_of(means: str) -> None:
    """Have everything that is done until the current tracing ends noted as done with this."""
    _trace.set(replace(current(), means=means))


@contextmanager
def acting(actor: Person | None, *, note: str = "", name: str = "") -> Iterator[None]:
    """Open a transaction in which `actor` (None: the machine itself) changes things, because of `note`.

    Inside another transaction it is a savepoint, and the database forgets this actor at its end. `name` is how to
    call somebody who is none of our people.
    """
    inside = replace(
        current(),
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else name,
        note=note,
    )
    nested = connection.in_atomic_block
    told_before = _told.get() if nested else ""
    trace, told = _trace.set(inside), _told.set(inside.as_json())
    try:
        with transaction.atomic():
            if told_before != _told.get():
                _tell(_told.get())
            yield
            # A rolled back savepoint takes the setting back by itself, and will not be spoken to before.
            if nested and told_before != _told.get() and not connection.needs_rollback:
                _tell(told_before)
    finally:
        _told.reset(told)
        _trace.reset(trace)


@contextmanager
def noticing(name: str) -> Iterator[None]:
    """Have what changes here written down as done by `name`, whom Mixpeek tells of; "" is nobody in particular.

    For the same reason as what is around it, inside whose transaction it is.
    """
    if not name:
        yield
        return
    with acting(None, note=current().note, name=name):
        yield


def _tell(value: str) -> None:
    rows("SELECT set_config(%s, %s, true)", [_SETTING, value])


def _storable(value: object) -> object:
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


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
