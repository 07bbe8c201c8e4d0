"""Turn an answer that is not a success into the error that says what to do next.

Reads Mixpeek's `{"status", "error": {"message", "type", "details"}}`, the older `{"detail": {"error": ...}}`,
FastAPI's `{"detail": [...]}` and `{"detail": "..."}`, and pages or texts from whatever stands in front of the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from reviewapp.mixpeek.exceptions import Garbled, MixpeekError, NotFound, Refused, Unauthorized, Unavailable
from reviewapp.mixpeek.records import Json
from reviewapp.mixpeek.response import Malformed, Reply
from reviewapp.mixpeek.retry_after import retry_after

_OURS = {401, 402, 403, 407}
_LATER = {408, 425, 429}
_GONE = {404, 410}
_LONGEST_MESSAGE = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")
_OUR_WORDS = {"retriever_name": "name"}


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What an error body said: its message, its details, and a message for each field it names."""

    message: str = ""
    details: Json = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    from_mixpeek: bool = False


def failure(reply: Reply, *, writes: bool, status: int | None = None) -> MixpeekError:
    """Return the error for an answer; `status` replaces the reply's when the body knows better than the header."""
    status = reply.status if status is None else status
    complaint = read_complaint(reply)
    message = complaint.message or _by_status(reply, status)
    known: dict[str, Any] = {"status": status, "request_id": reply.request_id}
    if status in _OURS:
        return Unauthorized(message, **known)
    if status in _GONE and not reply.looks_like_html:
        return NotFound(message, fields=complaint.fields, **known)
    if status in _LATER or status >= 500:
        return _unavailable(reply, complaint, message, writes, known)
    if 400 <= status < 500 and status not in _GONE:
        return Refused(message, fields=complaint.fields, **known)
    # A redirect, or a web page's 404: something in front of the API answered, and proves nothing about our request.
    return Garbled(message, maybe_applied=writes, **known)


def _unavailable(reply: Reply, complaint: Complaint, message: str, writes: bool, known: dict[str, Any]) -> Unavailable:
    # Mixpeek's own 429 and 503 refuse before anything is stored; a proxy's 503 promises nothing.
    untouched = known["status"] in {425, 429} or (known["status"] == 503 and complaint.from_mixpeek)
    return Unavailable(
        message,
        retry_after=retry_after(reply.headers, complaint.details, now=reply.received_at),
        maybe_applied=writes and not untouched,
        retryable=complaint.details.get("retryable") is not False,
        **known,
    )


def read_complaint(reply: Reply) -> Complaint:
    """Read an error body of any of the known shapes; an unknown one says nothing rather than fail."""
    try:
        body = reply.json()
    except Malformed:
        return Complaint(message=_short_text(reply))
    body = body if isinstance(body, dict) else {}
    detail = body.get("detail")
    error = body.get("error") or (detail.get("error") if isinstance(detail, dict) else None)
    error = error if isinstance(error, dict) else {"message": error}
    found = error.get("details")
    details: Json = found if isinstance(found, dict) else {}
    listed = _items(details.get("validation_errors")) or _items(detail)
    fields = _by_field(listed)
    said = (error.get("message"), detail, body.get("message"))
    message = next((text for text in said if isinstance(text, str) and text.strip()), "")
    return Complaint(
        message=plain(message or _joined(fields)),
        details=details,
        fields=fields,
        from_mixpeek=bool(error.get("message")),
    )


def _items(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _by_field(items: Iterable[Json]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for item in items:
        name = _field_name(item.get("location", item.get("loc")))
        text = plain(str(item.get("message") or item.get("msg") or item.get("type") or "not accepted"))
        fields[name] = f"{fields[name]}; {text}" if name in fields else text
    return fields


def _field_name(location: object) -> str:
    parts = [str(part) for part in location] if isinstance(location, list) else [str(location or "")]
    inner = parts[1:] if len(parts) > 1 and parts[0] in {"body", "query", "path", "header"} else parts
    name = plain(".".join(inner))
    return _OUR_WORDS.get(name, name)


def _joined(fields: dict[str, str]) -> str:
    return ". ".join(f"{name}: {text}" if name else text for name, text in fields.items())


def _short_text(reply: Reply) -> str:
    if reply.looks_like_html:
        return ""
    text = plain(reply.body[: 4 * _LONGEST_MESSAGE].decode("utf-8", "replace"))
    return "" if text[:1] in {"{", "["} or "\ufffd" in text else text


def plain(text: str) -> str:
    """Return `text` on one line, without control and direction characters, at most 500 characters."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def _by_status(reply: Reply, status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "an unknown status"
    page = " and an HTML page" if reply.looks_like_html else ""
    where = "; the address of Mixpeek may be wrong" if 300 <= status < 400 or (page and status in _GONE) else ""
    return f"Mixpeek answered {status} ({phrase}){page}{where}."
