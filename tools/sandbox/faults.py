"""Scripted answers: what the next matching calls get instead of, or on top of, the true answer.

Each fault is a JSON object; every key is optional:

    method    "PATCH"               only this method
    path      "/v1/annotations"     only paths that start with this, or that contain a match of this
                                    regular expression
    times     2                     how many calls it is for (1)
    delay     1.5                   seconds to wait before answering
    apply     true                  carry the request out first, then wait and answer as scripted
    status    503                   answer with this status; alone, with Mixpeek's error body for it
    headers   {"Retry-After": "2"}  set on the answer
    body      {...} or "<html>"     answer with this: JSON, or text as it is
    drop      "before" or "after"   close the connection without an answer, before or after carrying
                                    the request out
    truncate  10                    declare the whole length, send this many bytes, then close the
                                    connection

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
        status = 200
        headers: dict[str, str] = {}
        if true_answer is not None:
            status = true_answer.status
            if not self.scripted:
                headers = dict(true_answer.headers)
        if self.status:
            status = self.status

        content_type, body = self._content(status, true_answer)
        if content_type:
            headers["content-type"] = content_type
        for name, value in self.headers.items():
            headers[name.lower()] = str(value)
        headers["content-length"] = str(len(body))
        return Answer(status=status, headers=headers, body=body)

    def _content(self, status: int, true_answer: Answer | None) -> tuple[str | None, bytes]:
        """Return the content type (None: the true answer's) and the body."""
        if isinstance(self.body, str):
            return "text/html; charset=utf-8", self.body.encode()
        if self.body is not _UNSET:
            return "application/json", json.dumps(self.body).encode()
        if self.status is not None:
            return "application/json", _error_answer(status)
        if true_answer is not None:
            return None, true_answer.body
        return None, b""

    def to_json(self) -> Json:
        """Return the fault as it was written, with the calls it is left for."""
        values = {key: getattr(self, key) for key in _FIELDS}
        return {key: value for key, value in values.items() if value not in (_UNSET, None)}


def _error_answer(status: int) -> bytes:
    if status < 400:
        return b"{}"

    phrase = str(status)
    if status in list(HTTPStatus):
        phrase = HTTPStatus(status).phrase
    kind = _TYPES.get(status, "InternalServerError")
    problem = Problem(status, kind, f"Scripted: {phrase}")
    return json.dumps(error_body(problem)).encode()


class Script:
    """The faults still to come, first in first used."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, body: Any) -> None:
        """Append faults: a list of them, one alone, or `{"faults": [...]}`.

        Raises `Invalid`, and then adds none.
        """
        if isinstance(body, dict) and set(body) == {"faults"}:
            body = body["faults"]
        if not isinstance(body, list):
            body = [body]
        self._faults += [_fault(item, number) for number, item in enumerate(body)]

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault for this call, using it up by one."""
        for fault in self._faults:
            if fault.matches(method, path):
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    def left(self) -> list[Json]:
        """Return the faults not used up yet."""
        return [fault.to_json() for fault in self._faults]

    def clear(self) -> None:
        """Forget every fault."""
        self._faults = []


def _fault(body: Any, number: int) -> Fault:
    values = validate(body, _FIELDS, strict=True, at=("body", number))
    try:
        re.compile(values.get("path") or "")
    except re.error as error:
        location = ("body", number, "path")
        message = f"no pattern: {error}"
        complaint = Complaint(kind="value_error", location=location, message=message)
        raise Invalid([complaint]) from error
    return Fault(**values)
