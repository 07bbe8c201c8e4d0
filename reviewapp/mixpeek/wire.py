"""The pure half of the client: what a call looks like on the wire, and what an answer to it means.

No socket, no clock, no state. The calls themselves are built in `annotations`, `retrievers` and
`documents`; `transport` sends them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from reviewapp.mixpeek.exceptions import Garbled, MixpeekError, NamespaceUnresolved, Refused, Unreadable
from reviewapp.mixpeek.parsing.bounds import is_id
from reviewapp.mixpeek.parsing.error_parser import failure, plain
from reviewapp.mixpeek.parsing.json_reader import Fields
from reviewapp.mixpeek.response import Malformed, Reply, TooMuch

T = TypeVar("T")
_SAFE_REASON = re.compile(r"[\x20-\x7e]{1,200}")
_BROKEN_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request and how to read its answer.

    `writes` is whether it changes anything upstream, `slow` whether it deserves the longer timeout, `namespaced`
    whether it is about our namespace: what belongs to the whole organization takes the key alone. `headers` go along
    besides those of every call.
    """

    method: str
    path: str
    reader: Callable[[Fields], T]
    query: Mapping[str, str | int] | None = None
    body: bytes | None = None
    writes: bool = False
    slow: bool = False
    namespaced: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query, ready to follow the base URL."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def decipher(call: Call[T], reply: Reply) -> T:
    """Return what `call` asked for, or raise the `MixpeekError` that says what to do next; never anything else.

    Order: the status; then a success whose headers or body confess a failure; then the value itself, strictly typed.
    """
    if not 200 <= reply.status < 300:
        raise failure(reply, writes=call.writes)
    try:
        value = reply.json()
    except Malformed as error:
        raise _garbled(call, reply, error, kind=Unreadable if isinstance(error, TooMuch) else Garbled) from None
    try:
        body = Fields(value)
        confessed = _confession(call, reply, body)
        if confessed is None:
            return call.reader(body)
    except (Malformed, RecursionError) as error:
        raise _garbled(call, reply, error, kind=Unreadable) from None
    raise confessed


def _garbled(call: Call[Any], reply: Reply, error: Exception, *, kind: type[Garbled]) -> MixpeekError:
    if "x-namespace-unresolved" in reply.headers:
        return _unresolved(reply)
    why = plain(str(error)) if isinstance(error, Malformed) else "it is nested too deeply"
    message = f"Mixpeek's answer to {call.method} {call.path} makes no sense: {why}."
    return kind(message, status=reply.status, request_id=reply.request_id, maybe_applied=call.writes)


def _confession(call: Call[Any], reply: Reply, body: Fields) -> MixpeekError | None:
    warnings = body.raw.get("warnings")
    named = any(_is_unresolved(item) for item in warnings) if isinstance(warnings, list) else False
    if named or "x-namespace-unresolved" in reply.headers:
        return _unresolved(reply)
    if body.raw.get("success") is False and body.raw.get("error"):
        said = body.raw.get("status")
        status = said if isinstance(said, int) and 400 <= said < 600 else 500
        return failure(reply, writes=call.writes, status=status)
    return None


def _is_unresolved(warning: object) -> bool:
    return (
        isinstance(warning, dict) and warning.get("resource") == "namespace" and warning.get("reason") == "unresolved"
    )


def _unresolved(reply: Reply) -> NamespaceUnresolved:
    said = plain(reply.headers.get("x-namespace-unresolved", ""))
    namespace = reply.namespace or said
    return NamespaceUnresolved(
        f"Mixpeek does not know the namespace {namespace!r}, so its lists are empty. Check its name and the API key.",
        namespace=namespace,
        status=reply.status,
        request_id=reply.request_id,
    )


def path(template: str, **ids: str) -> str:
    """Fill `{name}` places of a path with percent-encoded ids; raise `Refused` for one that cannot be an id."""
    for name, value in ids.items():
        if not is_id(value):
            raise Refused(f"{plain(repr(value))} cannot be an id.", fields={name: "cannot be an id"})
    return template.format(**{name: quote(value, safe="") for name, value in ids.items()})


def body(values: Mapping[str, object]) -> bytes:
    """Return `values` as a JSON body; raise `Refused` naming the field that JSON cannot hold.

    NaN, infinities, NUL characters and lone surrogates are refused, at any depth.
    """
    for name, value in values.items():
        try:
            text = json.dumps(value, allow_nan=False, ensure_ascii=False)
            fine = not _BROKEN_TEXT.search(text) and "\\u0000" not in text.replace("\\\\", "")
        except (TypeError, ValueError, RecursionError):
            fine = False
        if not fine:
            raise Refused(f"{name} cannot be sent as JSON.", fields={name: "cannot be sent as JSON"})
    return json.dumps(dict(values), allow_nan=False).encode()


def within(name: str, value: int, least: int, most: int | None = None) -> int:
    """Return `value` when it lies in the range that Mixpeek accepts for `name`, else raise `Refused`."""
    if value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise Refused(f"{name} must be {bounds}.", fields={name: f"must be {bounds}"})
    return value


def reason_header(change_reason: str) -> dict[str, str]:
    """Return `X-Change-Reason` with the reason of a write, and no header for a blank one.

    Mixpeek stores it as `reason` of the organization's audit event, says the official SDK (1.3.783) of
    `AuditEventResponse.reason`; no route declares the header, so whether every write honours it is unknown.
    Raises ValueError for what is no safe header value: visible ASCII and blanks, at most 200 characters.
    """
    if not change_reason.strip():
        return {}
    if not _SAFE_REASON.fullmatch(change_reason):
        raise ValueError("change_reason must be 1 to 200 characters of visible ASCII text, without line breaks")
    return {"X-Change-Reason": change_reason.strip()}


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not None: what is not given is not sent, for a null may mean anything."""
    return {name: value for name, value in values.items() if value is not None}


def changes(asked: Mapping[str, object], *, allowed: tuple[str, ...], never_null: tuple[str, ...]) -> None:
    """Raise `Refused` for no changes, for fields that are not `allowed`, and for `never_null` ones set to None."""
    if not asked:
        raise Refused("Nothing to change.")
    strange = {key: f"is not one of {', '.join(allowed)}" for key in asked if key not in allowed}
    nulls = {key: "cannot be taken away" for key in never_null if key in asked and asked[key] is None}
    if strange or nulls:
        names = ", ".join(strange | nulls)
        raise Refused(f"These cannot be changed so: {names}.", fields=strange | nulls)
