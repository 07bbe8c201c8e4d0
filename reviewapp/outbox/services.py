"""Enqueue a change, take it back or have it tried again; pause and resume. Every write is conditional.

A change leaves the state `queued` once; each function that moves one returns whether it did. Claiming is in
`claims.py`, settling in `settle.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from reviewapp import stored
from reviewapp.audit.context import Person, about
from reviewapp.outbox import wake_worker
from reviewapp.outbox.claims import release
from reviewapp.outbox.models import Change, Pause
from reviewapp.outbox.rate_limit import priority
from reviewapp.outbox.settle import tell
from reviewapp.postgres.storable_json import holdable


class Author(Person, Protocol):
    """Whoever makes a change: a person, and how Mixpeek may be told of them."""

    pseudonym: str


UNCLAIMED = Q(state=Change.State.QUEUED, claimed_at=None)
NEVER_SENT = UNCLAIMED & Q(maybe_sent=False)
WAITING = Q(state__in=[Change.State.CONFLICT, Change.State.REFUSED])


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
    """Promise to set `fields` on `ref`; a worker is woken when the transaction commits, or when the hold ends."""
    about(ref)
    change = Change(
        ref=ref,
        verb=verb,
        fields=dict(fields),
        base=dict(base),
        base_version=base_version,
        cause=cause,
        actor_id=actor.pk,
        actor_name=actor.get_username(),
        actor_pseudonym=actor.pseudonym,
        retriever_id=retriever_id,
        rank=priority.rank_of(verb),
        due=held_until or timezone.now(),
    )
    stored.insert(change)
    if held_until:
        wake(at=held_until)
    else:
        transaction.on_commit(wake)
    return change


def wake(at: datetime | None = None) -> None:
    """Have a worker look for due changes: now (one waiting wake-up is enough for all) or at an instant."""
    wake_worker.wake("sync.deliver", at)


def withdraw(change: Change, *, reason: str) -> bool:
    """Take back a change that waits for a person; one still queued may be on the wire, and is not taken back."""
    return _leave(change, Change.State.WITHDRAWN, leaving=WAITING, reason=reason)


def withdraw_held(change: Change, *, reason: str) -> bool:
    """Take back a change whose hold lasts: nothing of it was ever sent."""
    return _leave(change, Change.State.WITHDRAWN, leaving=held(timezone.now()), reason=reason)


def withdraw_unsent(change: Change, *, reason: str) -> bool:
    """Take back what cannot be on the wire, or beyond: it waits for a person, or no try can have been carried out."""
    return _leave(change, Change.State.WITHDRAWN, leaving=WAITING | NEVER_SENT, reason=reason)


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
    return _leave(change, state, leaving=Q(state=Change.State.WITHDRAWN), reason=reason)


def held(now: datetime) -> Q:
    """Return the condition for what its person may still take back."""
    return NEVER_SENT & Q(attempts=0, due__gt=now)


def _leave(change: Change, state: str, *, leaving: Q, reason: str) -> bool:
    columns = {"state": state, "reason": holdable(reason), "settled_at": timezone.now()}
    left = Change.objects.filter(leaving, pk=change.pk).update(**columns)
    for name, value in columns.items():
        setattr(change, name, value)
    if left:
        tell(change, state)
    return left == 1


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
        tell(change, "postponed")
    return postponed == 1


def postpone_together(changes: Sequence[Change], *, until: datetime, reason: str) -> None:
    """Count a failed attempt of each and try them again at `until`; wakes one worker then."""
    queued = Change.objects.filter(pk__in=[change.pk for change in changes], state=Change.State.QUEUED)
    queued.update(due=until, claimed_at=None, attempts=F("attempts") + 1, reason=holdable(reason))
    for change in changes:
        tell(change, "postponed")
    transaction.on_commit(lambda: wake(at=until))


def put_off(changes: Sequence[Change], *, until: datetime) -> None:
    """Give claimed changes back untried, to be due at `until`, when a worker is woken."""
    release(changes, until=until)
    transaction.on_commit(lambda: wake(at=until))


def pause(*, reason: str) -> None:
    """Stop all deliveries until `resume`; the first reason stays."""
    Pause.objects.get_or_create(id=1, defaults={"reason": holdable(reason)})


def resume() -> bool:
    """Let deliveries go on; returns whether they were paused."""
    deleted, _ = Pause.objects.all().delete()
    transaction.on_commit(wake)
    return deleted > 0
