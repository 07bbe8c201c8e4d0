"""Audit context: who acts, through which origin, and why, for the triggers that write the history.

`acting` opens the transaction in which somebody changes something. It passes the context to the
database as one JSON value in a transaction-local setting (`reviewapp.acting`), which ends with the
transaction. A change made outside is recorded with origin `sql`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from reviewapp.audit.actions import NOTICING, Origin
from reviewapp.postgres.statement import Statement
from reviewapp.storable import storable_json

# The triggers read this setting. It ends with the transaction.
_SET_ACTING = Statement("SELECT set_config('reviewapp.acting', %(value)s, true)", str)
_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


class Person(Protocol):
    """An actor: anything with a primary key and a username."""

    pk: int

    def get_username(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The current action: origin, request, person and reason.

    `means` is what the person used, such as a token; it is appended to every note.
    """

    origin: Origin = Origin.SHELL
    request_id: str = ""
    actor_id: int | None = None
    actor_name: str = ""
    note: str = ""
    means: str = ""

    def as_json(self) -> str:
        """Return the JSON that `triggers.py` reads, without the characters that jsonb refuses."""
        values = {
            "origin": self.origin,
            "request_id": self.request_id,
            "actor_id": self.actor_id,
            "actor_name": self.actor_name,
            "note": "; ".join(filter(None, (self.note, self.means))),
        }
        return json.dumps(storable_json(values))


_trace: ContextVar[Trace | None] = ContextVar("reviewapp_trace", default=None)
# The value of the setting inside the current `acting`.
_setting: ContextVar[str] = ContextVar("reviewapp_setting", default="")
# What the current request or job is about (`ref`) and who sent it (`person`), for the log.
_subject: ContextVar[dict[str, Any] | None] = ContextVar("reviewapp_subject", default=None)


def current_trace() -> Trace:
    """Return the trace of this thread or task, by default that of a command line."""
    return _trace.get() or Trace()


def is_noticing() -> bool:
    """Return whether current changes were made at Mixpeek before, and are only noticed here."""
    return current_trace().origin in NOTICING


def set_subject(subject_ref: str) -> None:
    """Set the ref that the current request or job is about, for the log, until its tracing ends."""
    subject = _subject.get()
    if subject is not None:
        subject["ref"] = subject_ref


def subject_ref() -> str:
    """Return the ref that the current request or job is about, "" if it is not set."""
    return str((_subject.get() or {}).get("ref", ""))


def set_person(key: int) -> None:
    """Set the person who sent the current request, for the log, until its tracing ends."""
    subject = _subject.get()
    if subject is not None:
        subject["person"] = key


def person_key() -> int | None:
    """Return the key of the person who sent the current request, None if it is not known."""
    return (_subject.get() or {}).get("person")


@contextmanager
def tracing(origin: Origin, request_id: str = "") -> Iterator[str]:
    """Mark everything inside as coming through `origin`; yield the request id (new by default)."""
    request_id = request_id or uuid.uuid4().hex
    trace_token = _trace.set(Trace(origin=origin, request_id=request_id))
    subject_token = _subject.set({})
    try:
        yield request_id
    finally:
        _subject.reset(subject_token)
        _trace.reset(trace_token)


def add_means(means: str) -> None:
    """Append `means` to the note of every change until the current tracing ends."""
    _trace.set(replace(current_trace(), means=means))


@contextmanager
def acting(actor: Person | None, *, note: str = "", name: str = "") -> Iterator[None]:
    """Open a transaction in which `actor` (None: the machine) makes changes, because of `note`.

    Inside another transaction it is a savepoint, after which the outer actor is restored. `name` is
    the name of an actor who has no account here.
    """
    actor_id = None
    actor_name = name
    if actor is not None:
        actor_id = actor.pk
        actor_name = actor.get_username()
    trace = replace(current_trace(), actor_id=actor_id, actor_name=actor_name, note=note)

    is_nested = connection.in_atomic_block
    token = _trace.set(trace)
    try:
        with transaction.atomic(), _setting_in_database(trace.as_json(), is_nested=is_nested):
            yield
    finally:
        _trace.reset(token)


@contextmanager
def _setting_in_database(value: str, *, is_nested: bool) -> Iterator[None]:
    """Set the setting to `value` inside; where it is nested, set it back to the outer one after."""
    outer = _setting.get() if is_nested else ""
    if value == outer:
        yield
        return

    token = _setting.set(value)
    try:
        _SET_ACTING.rows(value=value)
        yield
        # A rolled back savepoint restores the setting itself, and accepts no statement before.
        if is_nested and not connection.needs_rollback:
            _SET_ACTING.rows(value=outer)
    finally:
        _setting.reset(token)


@contextmanager
def noticing(name: str) -> Iterator[None]:
    """Record changes as made by `name`, whom Mixpeek reports as the editor; "" changes nothing.

    The note stays that of the surrounding `acting`, in whose transaction this runs.
    """
    if not name:
        yield
        return
    with acting(None, note=current_trace().note, name=name):
        yield


class TraceMiddleware:
    """Give each request an id (the caller's own if it is valid) and mark its origin as the web."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request.headers.get("X-Request-ID", "")
        if not _VALID_REQUEST_ID.match(request_id):
            request_id = ""
        with tracing(Origin.WEB, request_id) as request_id:
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
