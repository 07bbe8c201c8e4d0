"""Polls Mixpeek's change feed, one cursor per event type: the way to hear of changes without an open port.

The cursor moves in the transaction that notes what was heard, so a kill at any instant repeats a page at most and
skips none. https://docs.mixpeek.com/api-reference/events/list-events
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import FeedEvent
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.listen import cooldown, hints
from reviewapp.sync.listen.event_parser import EVENT_TYPES, annotation_of, version_of
from reviewapp.sync.models import FeedCursor, Hint
from reviewapp.sync.rate_limited_client import spending

_log = logging.getLogger(__name__)
PAGE, MOST_PAGES = 1000, 10
# Longer than one page can take; whoever polls has the cursor to itself for so long.
_CLAIM = timedelta(seconds=120)
# A server without a feed is asked again after this: it may have learnt.
_NO_FEED = timedelta(hours=1)
# Their clock and ours differ.
_SKEW = timedelta(minutes=5)


def poll(client: Client, *, page_size: int = PAGE) -> int:
    """Read what is new in the feed of each event type, ten pages at most; returns how many were asked.

    The first poll ever begins with now: whatever the 90 days before hold has been pulled.
    """
    if cooldown.is_quiet(timezone.now()):
        return 0
    FeedCursor.objects.bulk_create([FeedCursor(event_type=each) for each in EVENT_TYPES], ignore_conflicts=True)
    asked = 0
    for event_type in EVENT_TYPES:
        at = _claim(event_type)
        if at is None:
            continue
        asked += 1
        with spending(Rank.BACKGROUND):
            if not _read(at, client, page_size):
                break
    return asked


def _claim(event_type: str) -> FeedCursor | None:
    now = timezone.now()
    claimed = FeedCursor.objects.filter(event_type=event_type, due__lte=now).update(due=now + _CLAIM)
    return FeedCursor.objects.get(event_type=event_type) if claimed else None


def _read(at: FeedCursor, client: Client, page_size: int) -> bool:
    """Read the pages of one event type; returns whether it makes sense to go on with another."""
    try:
        for _ in range(MOST_PAGES):
            page = client.events(at.event_type, cursor=at.cursor, limit=page_size)
            for record in page.left_out:
                _log.warning("left out an event of the change feed: %s", record)
            _take_in(at, page.items, page.cursor)
            if not page.has_more:
                break
    except NotFound:
        # Nothing else has a feed there either.
        FeedCursor.objects.update(due=timezone.now() + _NO_FEED)
        return False
    except Refused as error:
        # A cursor they no longer know (retention, another key): begin anew with now; the pull finds what was between.
        _log.warning("The change feed does not go on from our cursor: %s", error.message)
        FeedCursor.objects.filter(pk=at.pk).update(cursor=None, since=timezone.now())
        return True
    except Unreadable as error:
        # The others may be read, and the pull finds what this one would have told.
        _log.warning("The change feed cannot be read: %s", error.message)
    except MixpeekError as error:
        cooldown.keep_quiet(error)
        FeedCursor.objects.filter(pk=at.pk).update(due=timezone.now())
        return False
    cooldown.speak_again()
    FeedCursor.objects.filter(pk=at.pk).update(due=timezone.now())
    return True


@transaction.atomic
def _take_in(at: FeedCursor, items: Sequence[FeedEvent], cursor: str | None) -> None:
    """Note what a page tells and how far we are, both or neither; nothing when another poll went on meanwhile."""
    moved = FeedCursor.objects.filter(pk=at.pk, cursor=at.cursor) if at.cursor else _unread(at)
    if not moved.update(cursor=cursor or at.cursor):
        return
    at.cursor = cursor or at.cursor
    hints.hear(_news(at, items), Hint.Source.FEED)


def _unread(at: FeedCursor) -> QuerySet[FeedCursor]:
    return FeedCursor.objects.filter(pk=at.pk, cursor__isnull=True)


def _news(at: FeedCursor, items: Sequence[FeedEvent]) -> set[str]:
    """Return the annotations to read again: not what happened before we listened, nor what we hold already."""
    heard: dict[str, int | None] = {}
    for item in items:
        if item.created_at and item.created_at < at.since - _SKEW:
            continue
        if annotation_id := annotation_of({**item.payload, "payload": item.payload}):
            heard[annotation_id] = _later(heard.get(annotation_id, 0), version_of(item.payload))
    if at.event_type == "annotation.deleted":
        return set(heard)
    held = dict(Annotation.objects.annotated().filter(annotation_id__in=heard).values_list("annotation_id", "version"))
    return {id_ for id_, version in heard.items() if version is None or version > (held.get(id_) or 0)}


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
