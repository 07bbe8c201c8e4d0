"""Turn a response that is not a success into the exception that says what to do next.

Reads Mixpeek's `{"status", "error": {"message", "type", "details"}}`, the older `{"detail":
{"error": ...}}`, FastAPI's `{"detail": [...]}` and `{"detail": "..."}`, and the pages or texts of
proxies in front of the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice

from reviewapp.mixpeek.exceptions import (
    Garbled,
    MixpeekError,
    NotFound,
    Refused,
    Unauthorized,
    Unavailable,
)
from reviewapp.mixpeek.records import Json
from reviewapp.mixpeek.response import Malformed, Reply
from reviewapp.mixpeek.retry_after import retry_after

_UNAUTHORIZED_STATUSES = {401, 402, 403, 407}
_RETRY_STATUSES = {408, 425, 429}
_NOT_FOUND_STATUSES = {404, 410}
_MAX_MESSAGE_LENGTH = 500
_MAX_TEXT_LENGTH = 20 * _MAX_MESSAGE_LENGTH
# Of one answer; each field is named with its first errors.
_MAX_FIELD_ERRORS = 100
_MAX_LOCATION_PARTS = 20
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2066-\u2069]+",
)
_LOCATION_KINDS = {"body", "query", "path", "header"}
_OUR_FIELD_NAMES = {"retriever_name": "name"}


@dataclass(frozen=True, kw_only=True)
class ErrorBody:
    """The content of an error body: its message, its details, and a message for each field."""

    message: str = ""
    details: Json = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    from_mixpeek: bool = False


def error_from_reply(reply: Reply, *, writes: bool, status: int | None = None) -> MixpeekError:
    """Return the exception for an error response.

    `status` replaces the reply's when the body knows better than the status line; `writes` is
    whether the call may have changed something.
    """
    if status is None:
        status = reply.status
    error_body = parse_error_body(reply)
    message = error_body.message or message_for_status(reply, status)
    request_id = reply.request_id

    if status in _UNAUTHORIZED_STATUSES:
        return Unauthorized(message, status=status, request_id=request_id)

    if status in _NOT_FOUND_STATUSES and not reply.looks_like_html:
        return NotFound(message, fields=error_body.fields, status=status, request_id=request_id)

    if status in _RETRY_STATUSES or status >= 500:
        # Mixpeek's own 429 and 503 refuse before anything is stored; a proxy's 503 may not.
        is_refusal = status in {425, 429} or (status == 503 and error_body.from_mixpeek)
        return Unavailable(
            message,
            status=status,
            request_id=request_id,
            retry_after=retry_after(reply.headers, error_body.details, now=reply.received_at),
            maybe_applied=writes and not is_refusal,
            retryable=error_body.details.get("retryable") is not False,
        )

    if 400 <= status < 500 and status not in _NOT_FOUND_STATUSES:
        return Refused(message, fields=error_body.fields, status=status, request_id=request_id)

    # A redirect, or a web page's 404: a proxy answered, which proves nothing about our request.
    return Garbled(message, maybe_applied=writes, status=status, request_id=request_id)


def parse_error_body(reply: Reply) -> ErrorBody:
    """Parse an error body of any known shape; an unknown one gives an empty `ErrorBody`."""
    try:
        body = reply.json()
    except Malformed:
        return ErrorBody(message=_plain_text(reply))
    if not isinstance(body, dict):
        body = {}

    detail = body.get("detail")
    error = body.get("error")
    if not error and isinstance(detail, dict):
        error = detail.get("error")
    if not isinstance(error, dict):
        error = {"message": error}

    details = error.get("details")
    if not isinstance(details, dict):
        details = {}
    field_errors = _objects(details.get("validation_errors")) or _objects(detail)
    fields = messages_by_field(field_errors)
    message = _first_text(error.get("message"), detail, body.get("message"))
    if not message:
        sentences = []
        for name, text in fields.items():
            sentences.append(f"{name}: {text}" if name else text)
        message = ". ".join(sentences)

    return ErrorBody(
        message=single_line(message),
        details=details,
        fields=fields,
        from_mixpeek=bool(error.get("message")),
    )


def _first_text(*candidates: object) -> str:
    """Return the first candidate that is a text and not blank, "" if there is none."""
    for candidate in candidates:
        if isinstance(candidate, str) and candidate.strip():
            return candidate
    return ""


def _objects(value: object) -> list[Json]:
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def messages_by_field(field_errors: Iterable[Json]) -> dict[str, str]:
    """Return the messages of the first 100 errors by our name of the field, one text for each."""
    messages: dict[str, str] = {}
    for field_error in islice(field_errors, _MAX_FIELD_ERRORS):
        location = field_error.get("location", field_error.get("loc"))
        if not isinstance(location, list):
            location = [location or ""]
        parts = [_scalar_text(part) for part in location[:_MAX_LOCATION_PARTS]]
        if len(parts) > 1 and parts[0] in _LOCATION_KINDS:
            parts = parts[1:]
        name = single_line(".".join(parts))
        name = _OUR_FIELD_NAMES.get(name, name)

        message = field_error.get("message") or field_error.get("msg") or field_error.get("type")
        text = single_line(_scalar_text(message) or "not accepted")
        if name in messages:
            text = f"{messages[name]}; {text}"
        messages[name] = text
    return messages


def _scalar_text(value: object) -> str:
    """Return a text or number as text, "" for anything else: its depth could exhaust the stack."""
    if isinstance(value, str | int | float):
        return str(value)
    return ""


def _plain_text(reply: Reply) -> str:
    if reply.looks_like_html:
        return ""
    start = reply.body[: 4 * _MAX_MESSAGE_LENGTH]
    text = single_line(start.decode("utf-8", "replace"))
    is_broken = text[:1] in {"{", "["} or "\ufffd" in text
    if is_broken:
        return ""
    return text


def single_line(text: str) -> str:
    """Return `text` on one line, at most 500 characters, without control characters."""
    # Of a text of megabytes, only its beginning is looked at.
    line = " ".join(_CONTROL.sub(" ", text[:_MAX_TEXT_LENGTH]).split())
    if len(line) > _MAX_MESSAGE_LENGTH:
        line = line[: _MAX_MESSAGE_LENGTH - 1] + "…"
    return line


def message_for_status(reply: Reply, status: int) -> str:
    """Return a sentence for an error response without a message of its own."""
    phrase = "an unknown status"
    if status in set(HTTPStatus):
        phrase = HTTPStatus(status).phrase

    page = ""
    if reply.looks_like_html:
        page = " and an HTML page"

    hint = ""
    if 300 <= status < 400 or (page and status in _NOT_FOUND_STATUSES):
        hint = "; the address of Mixpeek may be wrong"
    return f"Mixpeek answered {status} ({phrase}){page}{hint}."
