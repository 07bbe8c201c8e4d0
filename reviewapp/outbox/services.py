"""Enqueue a change, claim what is due, settle what was tried; pause and resume. Every write is conditional.

A change leaves the state `queued` once. Each function that settles returns whether it was the one that did.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from reviewapp.audit.trace import Person, about
from reviewapp.outbox.holdable import holdable
from reviewapp.outbox.models import Change, Pause
from reviewapp.outbox.signals import moved


def claim_for(timeout: int) -> timedelta:
    """Return how long a claim lasts when a request may be silent for `timeout` seconds: 240 s at the usual 30.

    A delivery makes three requests at most, each over within three connects (of 5 s at most) and two reads (the
    client's `longest_call`): whoever claims has its row to itself for longer than that.
    """
    return timedelta(seconds=3 * (3 * min(5, timeout) + 2 * timeout)) * 16 / 15


CLAIM = claim_for(settings.MIXPEEK_TIMEOUT)
_log = logging.getLogger(__name__)

# Who finds a claim that has run out does not know how far whoever had it came.
# A claim that a crash of the database takes back is due again, which is what it would be anyway: nobody waits for the
# disk.
_CLAIM = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
UPDATE outbox_change SET due = %(until)s, claimed_at = %(now)s,
    maybe_sent = maybe_sent OR claimed_at IS NOT NULL FROM quick
WHERE id = (
    SELECT head.id FROM outbox_change head
    WHERE head.state = 'queued' AND head.due <= %(now)s
      AND NOT EXISTS (SELECT 1 FROM outbox_change older
                      WHERE older.ref = head.ref AND older.state = 'queued' AND older.id < head.id)
    ORDER BY head.due, head.id LIMIT 1 FOR UPDATE SKIP LOCKED
) AND state = 'queued' AND due <= %(now)s AND (%(probing)s OR NOT EXISTS (SELECT FROM outbox_pause))
RETURNING outbox_change.*
"""

_WAITS = """
SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = 'sync.deliver' AND status = 'todo'),
    set_config('synchronous_commit', CASE WHEN %s THEN 'off' ELSE current_setting('synchronous_commit') END, true)
"""


def enqueue(
    ref: str,
    *,
    fields: Mapping[str, Any],
    base: Mapping[str, Any],
    actor: Person,
    verb: str = Change.Verb.SET,
    base_version: int | None = None,
    cause: UUID | None = None,
    retriever_id: str = "",
    held_until: datetime | None = None,
) -> Change:
    """Promise to set `fields` on `ref`; a worker is woken when the transaction commits, or when the hold ends."""
    about(ref)
    change = Change.objects.create(
        ref=ref,
        verb=verb,
        fields=dict(fields),
        base=dict(base),
        base_version=base_version,
        cause=cause,
        actor_id=actor.pk,
        actor_name=actor.get_username(),
        retriever_id=retriever_id,
        due=held_until or timezone.now(),
    )
    if held_until:
        wake(at=held_until)
    else:
        transaction.on_commit(wake)
    return change


def wake(at: datetime | None = None) -> None:
    """Have a worker look for due changes: now (one waiting wake-up is enough for all) or at an instant."""
    if at is not None:
        app.configure_task("sync.deliver", schedule_at=at).defer()
        return
    alone = not connection.in_atomic_block
    try:
        with transaction.atomic():
            if not _wake_up_waits(alone=alone):
                app.configure_task("sync.deliver", queueing_lock="sync.deliver").defer()
    except AlreadyEnqueued:
        pass


def _wake_up_waits(*, alone: bool) -> bool:
    """Return whether a wake-up waits already; the transaction, when it is `alone`, will not wait for the disk.

    A wake-up that a crash of the database takes back is made good by the next sweep.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITS, [alone])
        waits, _ = cursor.fetchone() or (False, "")
    return bool(waits)


def claim(now: datetime, *, probing: bool = False) -> Change | None:
    """Take the next due change that is the oldest queued one on its ref, moving its `due` forward by `CLAIM`.

    Returns None when nothing is due, or the outbox is paused and this is not a probe.
    """
    found = Change.objects.raw(_CLAIM, {"now": now, "until": now + CLAIM, "probing": probing})
    return next(iter(found), None)


def deliver(change: Change, **facts: Any) -> bool:
    """Settle as delivered; `facts` are `version`, `merged`, `raced`, `upstream_request_id`, as far as known."""
    return _settle(change, Change.State.DELIVERED, reason="", **facts)


def conflict(
    change: Change,
    *,
    theirs: Mapping[str, Any],
    reason: str,
    version: int | None,
    raced: Mapping[str, Any] | None = None,
) -> bool:
    """Settle as a conflict: somebody else set the same fields upstream (`theirs`); nothing was sent this time.

    `raced` is what an earlier try of it wrote over, its answer lost.
    """
    return _settle(
        change,
        Change.State.CONFLICT,
        theirs=dict(theirs),
        reason=reason,
        version=version,
        raced=dict(raced) if raced else None,
    )


def refuse(
    change: Change, *, reason: str, field_errors: Mapping[str, str] | None = None, upstream_request_id: str = ""
) -> bool:
    """Settle as refused: upstream will not have it as it is; `field_errors` says what is wrong with which field."""
    return _settle(
        change,
        Change.State.REFUSED,
        reason=reason,
        field_errors=dict(field_errors or {}),
        upstream_request_id=upstream_request_id,
    )


def withdraw(change: Change, *, reason: str) -> bool:
    """Take back a change that waits for a person; one still queued may be on the wire, and is not taken back."""
    return _settle(change, Change.State.WITHDRAWN, leaving=WAITING, reason=reason)


def withdraw_held(change: Change, *, reason: str) -> bool:
    """Take back a change whose hold lasts: nobody has ever claimed it, so nothing of it was sent."""
    return _settle(change, Change.State.WITHDRAWN, leaving=held(timezone.now()), reason=reason)


def withdraw_unsent(change: Change, *, reason: str) -> bool:
    """Take back what cannot be on the wire, or beyond: it waits for a person, or no try can have been carried out."""
    return _settle(change, Change.State.WITHDRAWN, leaving=WAITING | NEVER_SENT, reason=reason)


def retry(change: Change) -> bool:
    """Have a change that failed and waits tried at once; returns whether it still waited."""
    now = timezone.now()
    waits = Change.objects.filter(UNCLAIMED, pk=change.pk, attempts__gt=0)
    retried = waits.update(due=now, retried_at=now)
    if retried:
        transaction.on_commit(wake)
    return retried == 1


def reinstate(change: Change, *, state: str, reason: str) -> bool:
    """Have a withdrawn change wait for a person again, in the state and for the reason it had."""
    return _settle(change, state, leaving=Q(state=Change.State.WITHDRAWN), reason=reason)


UNCLAIMED = Q(state=Change.State.QUEUED, claimed_at=None)
NEVER_SENT = UNCLAIMED & Q(maybe_sent=False)
WAITING = Q(state__in=[Change.State.CONFLICT, Change.State.REFUSED])


def held(now: datetime) -> Q:
    """Return the condition for what its person may still take back."""
    return NEVER_SENT & Q(attempts=0, due__gt=now)


def _settle(change: Change, state: str, *, leaving: Q | None = None, **columns: Any) -> bool:
    columns = {name: holdable(value) for name, value in columns.items()}
    columns |= {"state": state, "settled_at": timezone.now()}
    settled = Change.objects.filter(leaving or Q(state=Change.State.QUEUED), pk=change.pk).update(**columns)
    for name, value in columns.items():
        setattr(change, name, value)
    if settled:
        _tell(change, state)
    return settled == 1


def _tell(change: Change, outcome: str) -> None:
    """Log the outcome and tell who listens, once it is committed; the reason may hold people's words and stays out."""
    ref = change.ref

    def tell() -> None:
        _log.info("change %s", outcome, extra={"ref": ref})
        moved.send_robust(sender=Change, outcome=outcome, ref=ref)

    transaction.on_commit(tell)


def postpone(change: Change, *, until: datetime, reason: str, maybe_sent: bool = False) -> bool:
    """Count a failed attempt and try again at `until`; also wakes a worker then.

    `maybe_sent`: it may have been carried out, although no good answer came.
    """
    attempts = change.attempts + 1
    facts = {"maybe_sent": True} if maybe_sent else {}
    postponed = Change.objects.filter(pk=change.pk, state=Change.State.QUEUED).update(
        due=until, claimed_at=None, attempts=attempts, reason=holdable(reason), **facts
    )
    transaction.on_commit(lambda: wake(at=until))
    if postponed:
        _tell(change, "postponed")
    return postponed == 1


def put_off(changes: Sequence[Change], *, until: datetime) -> None:
    """Give claimed changes back untried, to be due at `until`, when a worker is woken; no attempt is counted."""
    ids = [change.pk for change in changes]
    Change.objects.filter(pk__in=ids, state=Change.State.QUEUED).update(due=until, claimed_at=None)
    transaction.on_commit(lambda: wake(at=until))


def release(change: Change) -> None:
    """Give a claimed change back untried: it is due at once."""
    Change.objects.filter(pk=change.pk, state=Change.State.QUEUED).update(due=timezone.now(), claimed_at=None)


def pause(*, reason: str) -> None:
    """Stop all deliveries until `resume`; the first reason stays."""
    Pause.objects.get_or_create(id=1, defaults={"reason": holdable(reason)})


def resume() -> bool:
    """Let deliveries go on; returns whether they were paused."""
    deleted, _ = Pause.objects.all().delete()
    transaction.on_commit(wake)
    return deleted > 0
