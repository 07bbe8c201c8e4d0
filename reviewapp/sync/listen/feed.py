"""Poll Mixpeek's change feed, with one cursor per event type: changes without an open port.

The cursor moves in the transaction that stores the hints, so a crash at any instant repeats at most
one page and skips none. https://docs.mixpeek.com/api-reference/events/list-events
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import FeedEvent, LeftOut
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.listen import cooldown, hints
from reviewapp.sync.listen.event_parser import EVENT_TYPES, annotation_of, version_of
from reviewapp.sync.models import FeedCursor, Hint
from reviewapp.sync.request_budget import spending

_log = logging.getLogger(__name__)
PAGE = 1000
MAX_PAGES = 10
_MAX_LOGGED = 20
# Longer than one page can take: meanwhile no other worker polls the event type.
_CLAIM_DURATION = timedelta(seconds=120)
# When to try a server again that has no feed: it may have been upgraded.
_NO_FEED_DELAY = timedelta(hours=1)
# How far Mixpeek's clock and ours may differ.
_CLOCK_SKEW = timedelta(minutes=5)


def poll(client: Client, *, page_size: int = PAGE) -> int:
    """Read what is new in the feed of each event type; returns how many types were polled.

    Reads at most `MAX_PAGES` of each. The very first poll starts now: whatever the 90 days before
    hold has been pulled.
    """
    if cooldown.is_cooling_down(timezone.now()):
        return 0

    cursors = [FeedCursor(event_type=event_type) for event_type in EVENT_TYPES]
    FeedCursor.objects.bulk_create(cursors, ignore_conflicts=True)
    polled = 0
    for event_type in EVENT_TYPES:
        now = timezone.now()
        due = FeedCursor.objects.filter(event_type=event_type, due__lte=now)
        is_claimed = due.update(due=now + _CLAIM_DURATION) > 0
        if not is_claimed:
            continue

        feed_cursor = FeedCursor.objects.get(event_type=event_type)
        polled += 1
        with spending(Rank.BACKGROUND):
            if not _read(feed_cursor, client, page_size):
                break
    return polled


def _read(feed_cursor: FeedCursor, client: Client, page_size: int) -> bool:
    """Read the pages of one event type; returns whether to continue with another."""
    row = FeedCursor.objects.filter(pk=feed_cursor.pk)
    try:
        for _ in range(MAX_PAGES):
            page = client.events(
                feed_cursor.event_type,
                cursor=feed_cursor.cursor,
                limit=page_size,
            )
            _log_left_out(page.left_out)
            store_page(feed_cursor, page.items, page.cursor)
            if not page.has_more:
                break
    except NotFound:
        # The server has no feed for the other types either.
        FeedCursor.objects.update(due=timezone.now() + _NO_FEED_DELAY)
        return False
    except Refused as error:
        # The cursor is unknown there (retention, another key): start anew now; the pull finds
        # what was in between.
        _log.warning("The change feed does not go on from our cursor: %s", error.message)
        row.update(cursor=None, since=timezone.now())
        return True
    except Unreadable as error:
        # The other types may be readable; the pull finds what this one would have reported.
        _log.warning("The change feed cannot be read: %s", error.message)
    except MixpeekError as error:
        cooldown.start_cooldown(error)
        row.update(due=timezone.now())
        return False

    cooldown.end_cooldown()
    row.update(due=timezone.now())
    return True


def _log_left_out(records: Sequence[LeftOut]) -> None:
    """Log the first events of a page that cannot be read, and how many more there are."""
    for record in records[:_MAX_LOGGED]:
        _log.warning("left out an event of the change feed: %s", record)
    more = len(records) - _MAX_LOGGED
    if more > 0:
        _log.warning("left out %s more events of the change feed", f"{more:,}")


@transaction.atomic
def store_page(
    feed_cursor: FeedCursor,
    events: Sequence[FeedEvent],
    next_cursor: str | None,
) -> None:
    """Store the hints of a page and the next cursor; nothing if another poll was faster."""
    next_cursor = next_cursor or feed_cursor.cursor
    # `cursor=None` is IS NULL.
    row = FeedCursor.objects.filter(pk=feed_cursor.pk, cursor=feed_cursor.cursor or None)
    if not row.update(cursor=next_cursor):
        return

    feed_cursor.cursor = next_cursor

    # Events from before the first poll, and versions that the mirror already holds, are left out.
    versions = latest_versions(events, since=feed_cursor.since - _CLOCK_SKEW)
    mirrored_versions: dict[str | None, int | None] = {}
    if feed_cursor.event_type != "annotation.deleted":
        mirrored = Annotation.objects.annotated().filter(annotation_id__in=versions)
        mirrored_versions = dict(mirrored.values_list("annotation_id", "version"))

    outdated_ids = set()
    for annotation_id, version in versions.items():
        mirrored_version = mirrored_versions.get(annotation_id) or 0
        is_deletion = feed_cursor.event_type == "annotation.deleted"
        if is_deletion or version is None or version > mirrored_version:
            outdated_ids.add(annotation_id)
    hints.enqueue_hints(outdated_ids, Hint.Source.FEED)


def latest_versions(events: Sequence[FeedEvent], *, since: datetime) -> dict[str, int | None]:
    """Return the latest version of each annotation, None if an event of it gives no version."""
    versions: dict[str, int | None] = {}
    for event in events:
        if event.created_at and event.created_at < since:
            continue
        annotation_id = annotation_of({**event.payload, "payload": event.payload})
        if not annotation_id:
            continue

        version = version_of(event.payload)
        earlier_version = versions.get(annotation_id, 0)
        if version is not None and earlier_version is not None:
            versions[annotation_id] = max(version, earlier_version)
        else:
            versions[annotation_id] = None
    return versions
