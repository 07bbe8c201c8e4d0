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
    """Which part of a result is asked for; `execution_id` is set when a cursor continues an
    execution.
    """

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
    return (
        base64.urlsafe_b64encode(json.dumps(values, sort_keys=True).encode()).decode().rstrip("=")
    )


def unpack_cursor(cursor: str) -> Json:
    """Return what `pack_cursor` was given; raises a 400 for anything else."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
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
    """Return the window of an execute call; `limit` is the shorthand that `pagination` overrules."""
    asked = pagination or {}
    method = asked.get(
        "method",
        "offset" if "page_number" in asked or "page_size" in asked else "cursor",
    )
    at = ("body", "pagination")
    if method == "offset":
        values = validate(asked, _OFFSET_FIELDS, strict=True, at=at)
        size = values.get("page_size") or limit or default
        return Window(method=method, start=((values.get("page_number") or 1) - 1) * size, size=size)
    if method != "cursor":
        message = "This sandbox pages by 'cursor' and by 'offset'"
        raise Invalid([Complaint(kind="literal_error", location=(*at, "method"), message=message)])
    values = validate(asked, _CURSOR_FIELDS, strict=True, at=at)
    size = values.get("limit") or limit or default
    if not values.get("cursor"):
        return Window(method=method, start=0, size=size)
    return _continued(unpack_cursor(values["cursor"]), size, print_of_run)


def _continued(held: Json, size: int, print_of_run: str) -> Window:
    if (
        held.get("run") != print_of_run
        or not isinstance(held.get("start"), int)
        or held["start"] < 0
    ):
        raise bad_request("The cursor belongs to other inputs; start without a cursor")
    return Window(
        method="cursor",
        start=held["start"],
        size=size,
        execution_id=str(held.get("execution")),
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
    more = following < total and returned > 0
    if window.method == "offset":
        return {
            "method": "offset",
            "page_number": window.start // window.size + 1,
            "page_size": window.size,
            "returned": returned,
            "total": total,
            "total_pages": -(-total // window.size),
            "has_next": more,
        }
    held = {"run": print_of_run, "start": following, "execution": execution_id}
    return {
        "method": "cursor",
        "limit": window.size,
        "returned": returned,
        "total": total,
        "has_next": more,
        "cursor": pack_cursor(held) if more else None,
    }


def list_pagination(window: Window, *, returned: int, total: int, include_total: bool) -> Json:
    """Return a PaginationResponse; totals stay null unless they were asked for."""
    following = window.start + returned
    more = following < total
    return {
        "total": total if include_total else None,
        "total_pages": -(-total // window.size) if include_total else None,
        "page": window.start // window.size + 1,
        "page_size": window.size,
        "next_cursor": pack_cursor({"start": following}) if more else None,
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
    """Return the window of a list call: `limit` wins over `page_size`, cursor over `offset` over
    `page`.
    """
    size = limit or page_size or 10
    if cursor:
        start = unpack_cursor(cursor).get("start")
        if not isinstance(start, int) or start < 0:
            raise bad_request("The cursor is not one this server gave out")
        return Window(method="cursor", start=start, size=size)
    start = offset if offset is not None else ((page or 1) - 1) * size
    return Window(method="offset", start=start, size=size)
