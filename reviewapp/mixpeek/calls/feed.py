"""The call that reads the change feed: /v1/events."""

from __future__ import annotations

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import FeedPage
from reviewapp.mixpeek.wire import Call

MAX_PAGE_SIZE = 1000


def events(event_type: str, *, cursor: str | None, limit: int) -> Call[FeedPage]:
    """`GET /v1/events`: one event type, after `cursor`, oldest first."""
    asked = wire.without_none(
        event_type=event_type,
        cursor=cursor,
        limit=wire.check_range("limit", limit, 1, MAX_PAGE_SIZE),
    )
    return Call(method="GET", path="/v1/events", query=asked, reader=record_parser.parse_feed)
