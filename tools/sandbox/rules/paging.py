"""Pages of a result, by cursor and by offset, and the common pager of the list calls; pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tools.sandbox.errors import Complaint, Invalid, bad_request
from tools.sandbox.rules.validation import Field, Json, validate

MOST_OFFSET = 10_000
_CURSOR_FIELDS = {
    "method": Field(kind="text", nullable=False),
    "limit": Field(kind="integer", least=1, most=500),
    "cursor": Field(kind="text"),
    "include_total": Field(kind="boolean"),
}
_OFFSET_FIELDS = {
    "method": Field(kind="text", nullable=False),
    "page_size": Field(kind="integer", least=1, most=500),
    "page_number": Field(kind="integer", least=1),
    "include_total": Field(kind="boolean"),
}


@dataclass(frozen=True, kw_only=True)
class Window:
    """The requested part of a result; a cursor that continues an execution sets `execution_id`."""

    method: str
    start: int
    size: int
    execution_id: str | None = None


def fingerprint(*parts: Any) -> str:
    """Return a short digest of what a cursor depends on."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def pack_cursor(values: Json) -> str:
    """Return an opaque cursor holding `values`."""
    text = json.dumps(values, sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack_cursor(cursor: str) -> Json:
    """Return what `pack_cursor` was given; raises a 400 for anything else."""
    padding = "=" * (-len(cursor) % 4)
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + padding))
    except (binascii.Error, ValueError) as error:
        raise bad_request("The cursor is not one this server gave out") from error
    if not isinstance(values, dict):
        raise bad_request("The cursor is not one this server gave out")
    return values


def execute_window(
    pagination: Json | None,
    limit: int | None,
    print_of_run: str,
    default: int,
) -> Window:
    """Return the window of an execute call; `pagination` overrules the shorthand `limit`."""
    pagination = pagination or {}
    has_page = "page_number" in pagination or "page_size" in pagination
    method = pagination.get("method", "offset" if has_page else "cursor")
    location = ("body", "pagination")

    if method == "offset":
        values = validate(pagination, _OFFSET_FIELDS, strict=True, at=location)
        size = values.get("page_size") or limit or default
        page_number = values.get("page_number") or 1
        return Window(method=method, start=(page_number - 1) * size, size=size)

    if method != "cursor":
        message = "This sandbox pages by 'cursor' and by 'offset'"
        complaint = Complaint(
            kind="literal_error",
            location=(*location, "method"),
            message=message,
        )
        raise Invalid([complaint])

    values = validate(pagination, _CURSOR_FIELDS, strict=True, at=location)
    size = values.get("limit") or limit or default
    if not values.get("cursor"):
        return Window(method=method, start=0, size=size)
    return _continued(unpack_cursor(values["cursor"]), size, print_of_run)


def _continued(position: Json, size: int, print_of_run: str) -> Window:
    start = position.get("start")
    is_of_run = position.get("run") == print_of_run
    if not is_of_run or not isinstance(start, int) or start < 0:
        raise bad_request("The cursor belongs to other inputs; start without a cursor")
    return Window(
        method="cursor",
        start=start,
        size=size,
        execution_id=str(position.get("execution")),
    )


def execute_pagination(
    window: Window,
    *,
    returned: int,
    total: int,
    execution_id: str,
    print_of_run: str,
) -> Json:
    """Return the `pagination` of an execute reply."""
    following = window.start + returned
    has_next = following < total and returned > 0

    if window.method == "offset":
        return {
            "method": "offset",
            "page_number": window.start // window.size + 1,
            "page_size": window.size,
            "returned": returned,
            "total": total,
            "total_pages": -(-total // window.size),
            "has_next": has_next,
        }

    cursor = None
    if has_next:
        position = {"run": print_of_run, "start": following, "execution": execution_id}
        cursor = pack_cursor(position)
    return {
        "method": "cursor",
        "limit": window.size,
        "returned": returned,
        "total": total,
        "has_next": has_next,
        "cursor": cursor,
    }


def list_pagination(window: Window, *, returned: int, total: int, include_total: bool) -> Json:
    """Return a PaginationResponse; totals stay null unless they were asked for."""
    following = window.start + returned
    next_cursor = None
    if following < total:
        next_cursor = pack_cursor({"start": following})

    total_pages = -(-total // window.size)
    return {
        "total": total if include_total else None,
        "total_pages": total_pages if include_total else None,
        "page": window.start // window.size + 1,
        "page_size": window.size,
        "next_cursor": next_cursor,
        "next_page": None,
        "previous_page": None,
    }


def list_window(
    *,
    limit: int | None,
    page_size: int | None,
    offset: int | None,
    page: int | None,
    cursor: str | None,
) -> Window:
    """Return the window of a list call.

    `limit` wins over `page_size`, and `cursor` over `offset` over `page`. Raises a 400 for a cursor
    of somewhere else.
    """
    size = limit or page_size or 10
    if cursor:
        start = unpack_cursor(cursor).get("start")
        if not isinstance(start, int) or start < 0:
            raise bad_request("The cursor is not one this server gave out")
        return Window(method="cursor", start=start, size=size)
    if offset is None:
        offset = ((page or 1) - 1) * size
    return Window(method="offset", start=offset, size=size)
