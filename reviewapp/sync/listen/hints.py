"""Hints that annotations changed upstream: each is read again and absorbed like any record.

A hint proves nothing. It may come twice, late, out of order, or report what we did ourselves.
Reading the current record is right in all these cases, and an annotation that is not found is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from reviewapp.annotations.mirror import absorb
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused, Unreadable
from reviewapp.outbox import wake_worker
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.listen import cooldown
from reviewapp.sync.models import Hint
from reviewapp.sync.request_budget import spending

_log = logging.getLogger(__name__)
# Longer than one read can take (the client's `longest_call` is 75 s).
HINT_CLAIM_DURATION = timedelta(seconds=120)
# A hint that cannot be followed is deleted after this; the pull compares everything anyway.
_MAX_ATTEMPTS = 20
# Each hint costs a request; the pull finds what is beyond.
MAX_WAITING = 50_000
# How many requests are paid at once.
_TOKENS_AT_ONCE = 10
_RETRY_DELAY = timedelta(seconds=5)
_ORIGINS = {Hint.Source.WEBHOOK: Origin.WEBHOOK, Hint.Source.FEED: Origin.PULL}

_UPSERT = """
INSERT INTO sync_hint (annotation_id, source, heard, attempts, due) VALUES (%s, %s, 1, 0, %s)
ON CONFLICT (annotation_id) DO UPDATE SET heard = sync_hint.heard + 1
"""
_CLAIM = """
UPDATE sync_hint SET due = %(until)s WHERE id = (
    SELECT id FROM sync_hint WHERE due <= %(now)s ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED
) AND due <= %(now)s RETURNING *
"""


def enqueue_hints(annotation_ids: Iterable[str], source: Hint.Source) -> None:
    """Store hints for these annotations, one for each, and wake a worker after the commit."""
    # Sorted, so that two processes with the same annotations never wait for each other.
    rows = []
    for annotation_id in sorted(set(annotation_ids)):
        rows.append((annotation_id, source, timezone.now()))
    if not rows:
        return

    if Hint.objects.count() >= MAX_WAITING:
        _log.warning(
            "left out %s hints: %s wait already, and the pull compares everything",
            len(rows),
            MAX_WAITING,
        )
        return

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.executemany(_UPSERT, rows)
        transaction.on_commit(wake_hint_worker)


def wake_hint_worker() -> None:
    """Wake a worker for the hints; one queued wake-up is enough."""
    wake_worker.queue_wakeup("sync.follow_hints")


def follow(client: Client, *, limit: int = 50) -> int:
    """Read up to `limit` annotations whose hints are due; returns how many were read.

    Stops as soon as Mixpeek is unavailable or refuses our key, and suspends requests then. A full
    round wakes another.
    """
    if cooldown.is_cooling_down(timezone.now()):
        return 0

    with spending(Rank.BACKGROUND, want=_TOKENS_AT_ONCE):
        for followed in range(limit):
            hint = claim_hint(timezone.now())
            if hint is None:
                return followed
            if not follow_one(hint, client):
                return followed + 1
    wake_hint_worker()
    return limit


def claim_hint(now: datetime) -> Hint | None:
    """Claim the hint that is due the longest, for `HINT_CLAIM_DURATION`; None if none is due."""
    with transaction.atomic():
        rows = list(Hint.objects.raw(_CLAIM, {"now": now, "until": now + HINT_CLAIM_DURATION}))
    if not rows:
        return None
    return rows[0]


def follow_one(hint: Hint, client: Client) -> bool:
    """Read one annotation again and absorb it; returns whether to continue with others."""
    try:
        records = [client.get_annotation(hint.annotation_id)]
    except NotFound:
        records = []
    except Refused as error:
        _log.warning(
            "Mixpeek will not be asked for an annotation that it spoke of: %s",
            error.message,
        )
        _delete_or_make_due(hint)
        return True
    except Unreadable as error:
        _log.warning("left out %s: %s", hint.annotation_id, error.message)
        _postpone(hint)
        return True
    except MixpeekError as error:
        cooldown.start_cooldown(error)
        _postpone(hint)
        return False
    cooldown.end_cooldown()

    try:
        origin = _ORIGINS[Hint.Source(hint.source)]
        note = f"hint: {hint.get_source_display()}"
        with tracing(origin), acting(None, note=note):
            waiting = absorb.absorb(records).left
            if not records:
                absorb.mark_gone([hint.annotation_id])

            if waiting:
                _postpone(hint)
            else:
                _delete_or_make_due(hint)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # One bad record must not block the others.
        _log.exception("could not take in %s", hint.annotation_id)
        _postpone(hint)
    return True


def _delete_or_make_due(hint: Hint) -> None:
    """Delete the hint, or make it due again if it was repeated since it was claimed."""
    deleted, _ = Hint.objects.filter(pk=hint.pk, heard=hint.heard).delete()
    if not deleted:
        Hint.objects.filter(pk=hint.pk).update(due=timezone.now())


def _postpone(hint: Hint) -> None:
    """Count a failed attempt and let other hints go first; delete the hint after too many."""
    row = Hint.objects.filter(pk=hint.pk)
    if hint.attempts + 1 >= _MAX_ATTEMPTS:
        row.delete()
        return
    row.update(attempts=F("attempts") + 1, due=timezone.now() + _RETRY_DELAY)
