"""Enqueue, withdraw, retry and postpone changes; pause and resume deliveries.

Every write is a conditional UPDATE: a change leaves the state `queued` once, and each function that
moves one returns whether it did. Claiming is in `claims.py`, settling in `settle.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from reviewapp.audit.context import Person, set_subject
from reviewapp.outbox import wake_worker
from reviewapp.outbox.claims import release
from reviewapp.outbox.models import Change, Pause
from reviewapp.outbox.rate_limit import priority
from reviewapp.outbox.settle import emit_after_commit
from reviewapp.postgres.statement import as_json, sql_file
from reviewapp.storable import storable_json


class Author(Person, Protocol):
    """The person who makes a change, with the pseudonym that Mixpeek may see."""

    pseudonym: str


UNCLAIMED = Q(state=Change.State.QUEUED, claimed_at=None)
NEVER_SENT = UNCLAIMED & Q(maybe_sent=False)
NEEDS_ATTENTION = Q(state__in=[Change.State.CONFLICT, Change.State.REFUSED])


@dataclass(frozen=True)
class Enqueued:
    """The key and the fields of a new change, and how many changes wait before it on its ref.

    `is_woken_for`: another change becomes due before it, whose wake-up schedules one for this one.
    """

    key: int
    fields: dict[str, Any]
    ahead: int
    is_woken_for: bool


@dataclass(frozen=True)
class NextDue:
    """When the next change becomes due; None for none."""

    due: datetime | None


_ENQUEUE = sql_file(__file__, "enqueue.sql", Enqueued)
_NEXT_DUE = sql_file(__file__, "next_due.sql", NextDue)


def enqueue(
    ref: str,
    *,
    fields: Mapping[str, Any],
    base: Mapping[str, Any],
    actor: Author,
    verb: str = Change.Verb.SET,
    base_version: int | None = None,
    cause: UUID | None = None,
    retriever_id: str = "",
    held_until: datetime | None = None,
) -> Change:
    """Queue a change that sets `fields` on `ref`, and wake a worker to deliver it.

    The worker wakes when the transaction commits, or when the hold ends at `held_until`.
    """
    set_subject(ref)

    now = timezone.now()
    columns = {
        "ref": ref,
        "verb": verb,
        "fields": dict(fields),
        "base": dict(base),
        "base_version": base_version,
        "cause": cause,
        "actor_id": actor.pk,
        "actor_name": actor.get_username(),
        "actor_pseudonym": actor.pseudonym,
        "retriever_id": retriever_id,
        "rank": priority.rank_of(verb),
        "due": held_until or now,
        "created_at": now,
    }
    (enqueued,) = _ENQUEUE.rows(change=as_json(columns))

    if held_until is None:
        transaction.on_commit(wake)
    elif not enqueued.is_woken_for:
        wake(at=held_until)
    change = Change(pk=enqueued.key, **columns)
    change.fields = enqueued.fields
    change.ahead = enqueued.ahead
    return change


def wake(at: datetime | None = None) -> None:
    """Wake a worker for due changes, at once or at `at`."""
    if at is None:
        wake_worker.queue_wakeup("sync.deliver")
    else:
        wake_worker.schedule_wakeup("sync.deliver", at)


def schedule_next_wakeup() -> None:
    """Schedule a wake-up for when the next change becomes due, unless there is one.

    Call it at each wake-up, before delivering: not every held change has a wake-up of its own, so
    that a decision mostly costs no job (`enqueue`).
    """
    (found,) = _NEXT_DUE.rows(now=timezone.now())
    if found.due is not None:
        wake_worker.queue_wakeup("sync.deliver", at=found.due)


def withdraw(change: Change, *, reason: str) -> bool:
    """Withdraw a change that is in conflict or refused.

    A queued change may be on its way to Mixpeek and is not withdrawn.
    """
    return _transition(
        change,
        Change.State.WITHDRAWN,
        allowed_from=NEEDS_ATTENTION,
        reason=reason,
    )


def withdraw_held(change: Change, *, reason: str) -> bool:
    """Withdraw a change that is still held: nothing of it was ever sent."""
    held = NEVER_SENT & Q(attempts=0, due__gt=timezone.now())
    return _transition(change, Change.State.WITHDRAWN, allowed_from=held, reason=reason)


def withdraw_unsent(change: Change, *, reason: str) -> bool:
    """Withdraw a change that was never sent or that is in conflict or refused.

    Returns False if it may have been sent.
    """
    return _transition(
        change,
        Change.State.WITHDRAWN,
        allowed_from=NEEDS_ATTENTION | NEVER_SENT,
        reason=reason,
    )


def retry(change: Change) -> bool:
    """Make a change that waits after a failure due now; returns whether it still waited."""
    now = timezone.now()
    waiting = Change.objects.filter(UNCLAIMED, pk=change.pk, attempts__gt=0)
    updated = waiting.update(due=now, retried_at=now)

    if updated:
        transaction.on_commit(wake)
    return updated == 1


def reinstate(change: Change, *, state: str, reason: str) -> bool:
    """Return a withdrawn change to the state and the reason it had: conflict or refused."""
    withdrawn = Q(state=Change.State.WITHDRAWN)
    return _transition(change, state, allowed_from=withdrawn, reason=reason)


def _transition(change: Change, to: str, *, allowed_from: Q, reason: str) -> bool:
    columns = {"state": to, "reason": storable_json(reason), "settled_at": timezone.now()}
    updated = Change.objects.filter(allowed_from, pk=change.pk).update(**columns)

    if updated:
        for name, value in columns.items():
            setattr(change, name, value)
        emit_after_commit(change, to)
    return updated == 1


def postpone(change: Change, *, until: datetime, reason: str, maybe_sent: bool = False) -> bool:
    """Count a failed attempt, make the change due again at `until` and wake a worker then.

    `maybe_sent`: Mixpeek may have applied the change although no valid reply came.
    """
    columns: dict[str, Any] = {
        "due": until,
        "claimed_at": None,
        "attempts": change.attempts + 1,
        "reason": storable_json(reason),
    }
    if maybe_sent:
        columns["maybe_sent"] = True
    queued = Change.objects.filter(pk=change.pk, state=Change.State.QUEUED)
    updated = queued.update(**columns)

    if updated:
        transaction.on_commit(lambda: wake(at=until))
        emit_after_commit(change, "postponed")
    return updated == 1


@transaction.atomic
def postpone_many(changes: Sequence[Change], *, until: datetime, reason: str) -> None:
    """Count a failed attempt of each change, make all due at `until` and wake one worker then.

    Changes that are settled meanwhile are left as they are.
    """
    keys = [change.pk for change in changes]
    queued = Change.objects.filter(pk__in=keys, state=Change.State.QUEUED)
    locked = queued.select_for_update().order_by("pk")
    locked_keys = set(locked.values_list("pk", flat=True))
    if not locked_keys:
        return

    Change.objects.filter(pk__in=locked_keys).update(
        due=until,
        claimed_at=None,
        attempts=F("attempts") + 1,
        reason=storable_json(reason),
    )

    for change in changes:
        if change.pk in locked_keys:
            emit_after_commit(change, "postponed")
    transaction.on_commit(lambda: wake(at=until))


def postpone_untried(changes: Sequence[Change], *, until: datetime) -> None:
    """Release claimed changes untried, to be due at `until`, and wake a worker then."""
    if release(changes, until=until):
        transaction.on_commit(lambda: wake(at=until))


def pause(*, reason: str) -> None:
    """Stop all deliveries until `resume`; an earlier reason stays."""
    Pause.objects.get_or_create(id=1, defaults={"reason": storable_json(reason)})


def resume() -> bool:
    """Resume deliveries; returns whether they were paused."""
    deleted, _ = Pause.objects.all().delete()
    if deleted:
        transaction.on_commit(wake)
    return deleted > 0
