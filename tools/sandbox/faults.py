"""Scripted answers: what the next matching calls get instead of, or on top of, the true answer.

Each fault is a JSON object; every key is optional:

    method    "PATCH"                   only this method path      "/v1/annotations"         only
    paths that start with this, or in which this regular expression is found times     2
    how many calls it is for (1) delay     1.5                       seconds to wait before
    answering apply     true                      carry the request out first, then wait and answer
    as scripted status    503                       answer with this status; alone, with Mixpeek's
    error body for it headers   {"Retry-After": "2"}      set on the answer body      {...} or
    "<html>"         answer with this: JSON, or text as it is drop      "before" or "after"
    close the connection without an answer, before or after carrying it out truncate  10
    declare the whole length, send this many bytes, close the connection

A fault with neither `status`, `body` nor `drop` lets the call through and changes the true answer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tools.sandbox.errors import Complaint, Invalid, Problem, error_body
from tools.sandbox.rules.validation import Field, Json, validate

_FIELDS = {
    "method": Field(kind="text"),
    "path": Field(kind="text"),
    "times": Field(kind="integer", nullable=False, least=1),
    "delay": Field(kind="number", nullable=False, least=0),
    "apply": Field(kind="boolean", nullable=False),
    "status": Field(kind="integer", least=200, most=599),
    "headers": Field(kind="object", nullable=False),
    "body": Field(kind="anything"),
    "drop": Field(kind="text", among=("before", "after")),
    "truncate": Field(kind="integer", least=0),
}
_TYPES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "AlreadyExistsError",
    422: "ValidationError",
    429: "TooManyRequestsError",
    503: "InferenceServiceUnavailableError",
}
_UNSET = object()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Fault:
    """One scripted answer and how many calls are left for it."""

    method: str | None = None
    path: str | None = None
    times: int = 1
    delay: float = 0.0
    apply: bool = False
    status: int | None = None
    headers: dict[str, Any] = field(default_factory=dict)
    body: Any = _UNSET
    drop: str | None = None
    truncate: int | None = None

    def matches(self, method: str, path: str) -> bool:
        """Return whether the fault is meant for this call."""
        if self.method and self.method.upper() != method:
            return False
        return not self.path or path.startswith(self.path) or re.search(self.path, path) is not None

    @property
    def applies_first(self) -> bool:
        """Whether the call is carried out before the fault shows."""
        return self.apply or self.drop == "after"

    @property
    def scripted(self) -> bool:
        """Whether the answer does not come from the call itself."""
        return self.status is not None or self.body is not _UNSET

    def answer(self, true_answer: Answer | None) -> Answer:
        """Return what to send, on top of the true answer when there is one."""
        status = self.status or (true_answer.status if true_answer else 200)
        headers = dict(true_answer.headers) if true_answer and not self.scripted else {}
        kind, body = self._content(status, true_answer)
        headers |= {"content-type": kind} if kind else {}
        headers |= {name.lower(): str(value) for name, value in self.headers.items()}
        return Answer(
            status=status,
            headers={**headers, "content-length": str(len(body))},
            body=body,
        )

    def _content(self, status: int, true_answer: Answer | None) -> tuple[str | None, bytes]:
        if isinstance(self.body, str):
            return "text/html; charset=utf-8", self.body.encode()
        if self.body is not _UNSET:
            return "application/json", json.dumps(self.body).encode()
        if self.status is not None:
            return "application/json", _error_answer(status)
        return None, true_answer.body if true_answer else b""

    def shown(self) -> Json:
        """Return the fault as it was written, with the calls it is left for."""
        kept = {key: getattr(self, key) for key in _FIELDS}
        return {
            key: value for key, value in kept.items() if value is not _UNSET and value is not None
        }


def _error_answer(status: int) -> bytes:
    if status < 400:
        return b"{}"
    message = f"Scripted: {HTTPStatus(status).phrase if status in list(HTTPStatus) else status}"
    return json.dumps(
        error_body(Problem(status, _TYPES.get(status, "InternalServerError"), message)),
    ).encode()


class Script:
    """The faults still to come, first in first used."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, body: Any) -> None:
        """Append faults: a list of them, one alone, or `{"faults": [...]}`. Raises `Invalid`,
        adding none.
        """
        if isinstance(body, dict) and set(body) == {"faults"}:
            body = body["faults"]
        given = body if isinstance(body, list) else [body]
        self._faults += [_fault(each, number) for number, each in enumerate(given)]

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault for this call, using it up by one."""
        for fault in self._faults:
            if fault.matches(method, path):
                fault.times -= 1
                self._faults = [each for each in self._faults if each.times > 0]
                return fault
        return None

    def left(self) -> list[Json]:
        """Return the faults not used up yet."""
        return [each.shown() for each in self._faults]

    def clear(self) -> None:
        """Forget every fault."""
        self._faults = []


def _fault(body: Any, number: int) -> Fault:
    values = validate(body, _FIELDS, strict=True, at=("body", number))
    try:
        re.compile(values.get("path") or "")
    except re.error as error:
        location = ("body", number, "path")
        raise Invalid(
            [Complaint(kind="value_error", location=location, message=f"no pattern: {error}")],
        ) from error
    return Fault(**values)
