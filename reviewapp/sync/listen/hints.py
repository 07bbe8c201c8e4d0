"""Hints: annotations that are said to have changed upstream. Each is read again and absorbed like anything we read.

A hint promises nothing. It may come twice, late, out of order, or tell of what we did ourselves; reading the
record as it is now is right in all these cases, and an annotation that is not there any more is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from reviewapp.annotations.mirror import absorb
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox import wake_worker
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.listen import cooldown
from reviewapp.sync.models import Hint
from reviewapp.sync.rate_limited_client import spending

_log = logging.getLogger(__name__)
# Longer than one read can take (the client's `longest_call` is 75 s), so that whoever claims has the hint to itself.
CLAIM = timedelta(seconds=120)
# What still cannot be read then is dropped; the pull compares everything anyway.
_MOST_ATTEMPTS = 20
# Each costs a request; the pull finds what is beyond.
MOST_WAITING = 50_000
# So many requests are paid at once.
_AT_ONCE = 10
_BEHIND = timedelta(seconds=5)
_ORIGINS = {Hint.Source.WEBHOOK: Origin.WEBHOOK, Hint.Source.FEED: Origin.PULL}

_HEAR = """
INSERT INTO sync_hint (annotation_id, source, heard, attempts, due) VALUES (%s, %s, 1, 0, %s)
ON CONFLICT (annotation_id) DO UPDATE SET heard = sync_hint.heard + 1
"""
_CLAIM = """
UPDATE sync_hint SET due = %(until)s WHERE id = (
    SELECT id FROM sync_hint WHERE due <= %(now)s ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED
) AND due <= %(now)s RETURNING *
"""


def hear(annotation_ids: Iterable[str], source: Hint.Source) -> None:
    """Note that these are to be read again, and wake a worker when that is committed; many hints on one are one."""
    # In one order, so that two who hear of the same annotations never wait for each other.
    rows = [(annotation_id, source, timezone.now()) for annotation_id in sorted(set(annotation_ids))]
    if not rows:
        return
    if Hint.objects.count() >= MOST_WAITING:
        _log.warning("left out %s hints: %s wait already, and the pull compares everything", len(rows), MOST_WAITING)
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.executemany(_HEAR, rows)
        transaction.on_commit(wake)


def wake() -> None:
    """Have a worker look at the hints; one waiting wake-up is enough for all."""
    wake_worker.wake("sync.follow_hints")


def follow(client: Client, *, most: int = 50) -> int:
    """Read up to `most` annotations that are due; returns how many were.

    Stops at the first sign that Mixpeek is away or will not have our key, and then keeps quiet for as long as it asked
    for. A full round wakes another.
    """
    if cooldown.is_quiet(timezone.now()):
        return 0
    with spending(Rank.BACKGROUND, want=_AT_ONCE):
        for tried in range(most):
            hint = claim(timezone.now())
            if hint is None:
                return tried
            if not look(hint, client):
                return tried + 1
    wake()
    return most


def claim(now: datetime) -> Hint | None:
    """Take the hint that is due the longest, moving its `due` forward by `CLAIM`; None when nothing is due."""
    with transaction.atomic():
        found = list(Hint.objects.raw(_CLAIM, {"now": now, "until": now + CLAIM}))
    return found[0] if found else None


def look(hint: Hint, client: Client) -> bool:
    """Read one annotation again; returns whether it makes sense to go on with others."""
    try:
        records = [client.get_annotation(hint.annotation_id)]
    except NotFound:
        records = []
    except Refused as error:
        _log.warning("Mixpeek will not be asked for an annotation that it spoke of: %s", error.message)
        _done(hint)
        return True
    except Unreadable as error:
        _log.warning("left out %s: %s", hint.annotation_id, error.message)
        _put_off(hint)
        return True
    except MixpeekError as error:
        cooldown.keep_quiet(error)
        _put_off(hint)
        return False
    cooldown.speak_again()
    try:
        _take_in(hint, records)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # The others must not wait for this one.
        _log.exception("could not take in %s", hint.annotation_id)
        _put_off(hint)
    return True


def _take_in(hint: Hint, records: Sequence[AnnotationRecord]) -> None:
    with tracing(_ORIGINS[Hint.Source(hint.source)]), acting(None, note=f"hint: {hint.get_source_display()}"):
        left = absorb.absorb(records).left
        if not records:
            absorb.mark_gone([hint.annotation_id])
        if left:
            _put_off(hint)
        else:
            _done(hint)


def _done(hint: Hint) -> None:
    """Let the hint go, unless somebody has spoken of the annotation since it was claimed: then it is due at once."""
    gone, _ = Hint.objects.filter(pk=hint.pk, heard=hint.heard).delete()
    if not gone:
        Hint.objects.filter(pk=hint.pk).update(due=timezone.now())


def _put_off(hint: Hint) -> None:
    """Let the others go first: it may be this one annotation that Mixpeek chokes on."""
    if hint.attempts + 1 >= _MOST_ATTEMPTS:
        Hint.objects.filter(pk=hint.pk).delete()
    else:
        Hint.objects.filter(pk=hint.pk).update(attempts=F("attempts") + 1, due=timezone.now() + _BEHIND)
