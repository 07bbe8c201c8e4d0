"""The pure half of the client: what a request looks like, and what its response means.

No socket, no clock, no state. The modules of `calls` build the requests; `transport` sends them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from reviewapp.mixpeek.exceptions import (
    Garbled,
    MixpeekError,
    NamespaceUnresolved,
    Refused,
    Unreadable,
)
from reviewapp.mixpeek.parsing.bounds import is_id
from reviewapp.mixpeek.parsing.error_parser import error_from_reply, single_line
from reviewapp.mixpeek.parsing.json_reader import JsonObject
from reviewapp.mixpeek.response import Malformed, Reply, TooLarge
from reviewapp.storable import is_storable

T = TypeVar("T")
_SAFE_REASON = re.compile(r"[\x20-\x7e]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request and how to parse its response.

    `writes` is whether it changes anything upstream, `slow` whether it gets the longer timeout,
    `namespaced` whether it is about our namespace: calls about the whole organization carry the API
    key alone. `headers` are sent besides those of every call.
    """

    method: str
    path: str
    reader: Callable[[JsonObject], T]
    query: Mapping[str, str | int] | None = None
    body: bytes | None = None
    writes: bool = False
    slow: bool = False
    namespaced: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query, ready to follow the base URL."""
        if not self.query:
            return self.path
        return f"{self.path}?{urlencode(self.query)}"


def parse_response(call: Call[T], reply: Reply) -> T:
    """Return the value of a response; raise a `MixpeekError` and nothing else.

    Checks the status first, then the headers and the body of a success for an error they report,
    then the types of the value.
    """
    if not 200 <= reply.status < 300:
        raise error_from_reply(reply, writes=call.writes)

    try:
        value = reply.json()
    except TooLarge as error:
        raise _garbled_error(call, reply, error, kind=Unreadable) from None
    except Malformed as error:
        raise _garbled_error(call, reply, error, kind=Garbled) from None

    try:
        body = JsonObject(value)
        reported = reported_error(call, reply, body)
        if reported is None:
            return call.reader(body)
    except (Malformed, RecursionError) as error:
        raise _garbled_error(call, reply, error, kind=Unreadable) from None
    raise reported


def _garbled_error(
    call: Call[Any],
    reply: Reply,
    error: Exception,
    *,
    kind: type[Garbled],
) -> MixpeekError:
    if "x-namespace-unresolved" in reply.headers:
        return _namespace_unresolved(reply)

    reason = "it is nested too deeply"
    if isinstance(error, Malformed):
        reason = single_line(str(error))
    message = f"Mixpeek's answer to {call.method} {call.path} cannot be read: {reason}."
    return kind(
        message,
        status=reply.status,
        request_id=reply.request_id,
        maybe_applied=call.writes,
    )


def reported_error(call: Call[Any], reply: Reply, body: JsonObject) -> MixpeekError | None:
    """Return the error that a response reports although its status is a success."""
    if is_namespace_unresolved(reply, body.raw.get("warnings")):
        return _namespace_unresolved(reply)

    is_error = body.raw.get("success") is False and body.raw.get("error")
    if not is_error:
        return None

    status = body.raw.get("status")
    if not isinstance(status, int) or not 400 <= status < 600:
        status = 500
    return error_from_reply(reply, writes=call.writes, status=status)


def is_namespace_unresolved(reply: Reply, warnings: object) -> bool:
    """Return whether a header or a warning says that the server does not know the namespace."""
    if "x-namespace-unresolved" in reply.headers:
        return True
    if not isinstance(warnings, list):
        return False

    for warning in warnings:
        if not isinstance(warning, dict):
            continue
        if warning.get("resource") == "namespace" and warning.get("reason") == "unresolved":
            return True
    return False


def _namespace_unresolved(reply: Reply) -> NamespaceUnresolved:
    named_by_server = single_line(reply.headers.get("x-namespace-unresolved", ""))
    namespace = reply.namespace or named_by_server
    problem = f"Mixpeek does not know the namespace {namespace!r}, so its lists are empty."
    message = f"{problem} Check its name and the API key."
    return NamespaceUnresolved(
        message,
        namespace=namespace,
        status=reply.status,
        request_id=reply.request_id,
    )


def build_path(template: str, **ids: str) -> str:
    """Return the path with percent-encoded ids; raise `Refused` for a value that is no id."""
    for name, value in ids.items():
        if not is_id(value):
            message = f"{single_line(repr(value))} cannot be an id."
            raise Refused(message, fields={name: "cannot be an id"})
    quoted = {name: quote(value, safe="") for name, value in ids.items()}
    return template.format(**quoted)


def encode_body(values: Mapping[str, object]) -> bytes:
    """Return `values` as a JSON body; raise `Refused` with the field that JSON cannot represent.

    NaN, infinities, NUL characters and lone surrogates are refused, at any depth.
    """
    for name, value in values.items():
        try:
            json.dumps(value, allow_nan=False)
            is_encodable = is_storable(value)
        except (TypeError, ValueError, RecursionError):
            is_encodable = False
        if not is_encodable:
            message = f"{name} cannot be sent as JSON."
            raise Refused(message, fields={name: "cannot be sent as JSON"})
    return json.dumps(dict(values), allow_nan=False).encode()


def check_range(name: str, value: int, minimum: int, maximum: int | None = None) -> int:
    """Return `value` if Mixpeek accepts it for `name`, else raise `Refused`."""
    if maximum is None:
        is_in_range = value >= minimum
        bounds = f"at least {minimum}"
    else:
        is_in_range = minimum <= value <= maximum
        bounds = f"from {minimum} to {maximum}"

    if not is_in_range:
        raise Refused(f"{name} must be {bounds}.", fields={name: f"must be {bounds}"})
    return value


def reason_header(change_reason: str) -> dict[str, str]:
    """Return `X-Change-Reason` with the reason of a write; no header if it is blank.

    Mixpeek stores it as `reason` of the organization's audit event, says the official SDK (1.3.783)
    of `AuditEventResponse.reason`; no route declares the header, so whether every write honours it
    is unknown. Raises ValueError for an unsafe header value: it must be visible ASCII and blanks,
    at most 200 characters.
    """
    if not change_reason.strip():
        return {}
    if not _SAFE_REASON.fullmatch(change_reason):
        raise ValueError(
            "change_reason must be 1 to 200 characters of visible ASCII text, without line breaks",
        )
    return {"X-Change-Reason": change_reason.strip()}


def without_none(**values: Any) -> dict[str, Any]:
    """Return the values that are not None: Mixpeek may take a null for a value of its own."""
    return {name: value for name, value in values.items() if value is not None}


def check_changes(
    changes: Mapping[str, object],
    *,
    allowed: tuple[str, ...],
    never_null: tuple[str, ...],
) -> None:
    """Raise `Refused` for no changes, for fields not `allowed`, and for None in `never_null`."""
    if not changes:
        raise Refused("Nothing to change.")

    errors: dict[str, str] = {}
    for name in changes:
        if name not in allowed:
            errors[name] = f"is not one of {', '.join(allowed)}"
    for name in never_null:
        if name in changes and changes[name] is None:
            errors[name] = "cannot be taken away"

    if errors:
        names = ", ".join(errors)
        raise Refused(f"These cannot be changed so: {names}.", fields=errors)
