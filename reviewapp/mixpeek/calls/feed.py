"""The call that reads the change feed: /v1/events."""

from __future__ import annotations

from reviewapp.mixpeek import wire
from reviewapp.mixpeek.parsing import record_parser
from reviewapp.mixpeek.records import FeedPage
from reviewapp.mixpeek.wire import Call

MOST_PER_PAGE = 1000


def events(event_type: str, *, cursor: str | None, limit: int) -> Call[FeedPage]:
    """`GET /v1/events`: one event type, after `cursor`, oldest first."""
    asked = wire.given(event_type=event_type, cursor=cursor, limit=wire.within("limit", limit, 1, MOST_PER_PAGE))
    return Call(method="GET", path="/v1/events", query=asked, reader=record_parser.feed)
