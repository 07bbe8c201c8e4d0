"""Deliver one claimed change: read upstream, compare, PATCH, compare the reply, settle. In that order.

No transaction is open during a call. Whatever happens, the change ends up delivered, in conflict or refused, or is due
again: postponed when Mixpeek is unavailable, untouched when this process dies (its claim runs out).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from time import monotonic
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from reviewapp.audit.context import about, acting, current, tracing
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused, Unauthorized, Unavailable, Unreadable
from reviewapp.outbox import claims
from reviewapp.outbox import services as outbox
from reviewapp.outbox.backoff import backoff_delay
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.deliver import bulk, parallel
from reviewapp.sync.deliver.bulk_plan import Round
from reviewapp.sync.deliver.outcome import ClaimLost, Outcome, Target, refused
from reviewapp.sync.deliver.settle import rows_of, settle, target_of
from reviewapp.sync.rate_limited_client import WHILE_NOBODY_WAITS, OutOfBudget, prepaid, spending

_dice = random.SystemRandom()
_log = logging.getLogger(__name__)
# A round claims so many changes, the first of a turn fewer, since the rest may go in bulk; a quarter of the places is
# kept for those that nobody waits for. A delivery reads and writes.
_FIRST, _ROUND, _REQUESTS = 16, 32, 2
# So many seconds may pass until a page says "delivered".
_MOMENT = 0.5
# So many seconds one turn begins with further backlogs.
_BACKLOG = 2.0
# A worker that is told to stop finishes its turn.
_LONGEST_TURN = 15.0


def drain(client: Client, *, most: int = 50) -> int:
    """Deliver up to about `most` due changes, some of each rank in turn; returns how many were tried.

    Stops early when Mixpeek is unavailable or our key is refused, since the next change would meet the same, and when
    the rate budget is spent. The first round wakes one more worker, so that a backlog spreads over all of them; a full
    turn wakes another, so that no turn is long and a worker can stop between two.
    """
    tried, planned = 0, False
    while tried < most:
        changes = _round(_ROUND if planned else _FIRST)
        if not changes:
            return tried
        by_rank = {rank: list(group) for rank, group in groupby(changes, key=_rank)}
        paid = {rank: _paid(ours, rank, client, first=tried == 0) for rank, ours in by_rank.items()}
        tried += len(changes)
        # All places that a rank may have were taken: there is more where that came from. What the budget does not pay
        # for one by one it may pay for in bulk.
        if len(changes) >= _FIRST - _FIRST // 4 and not planned:
            planned = True
            for rank in by_rank:
                many, go_on = _backlog(rank, client)
                tried += many
                if not go_on:
                    return tried
        if not all(paid.values()):
            return tried
    outbox.wake()
    return tried


def _round(most: int) -> list[Change]:
    """Claim the changes of one round, the urgent first; a share is kept for those that are not."""
    now = timezone.now()
    urgent = claims.claim_many(now, rank=Rank.INTERACTIVE, limit=most - most // 4)
    rest = claims.claim_many(now, rank=Rank.BULK, limit=most - len(urgent))
    return sorted([*urgent, *rest], key=_rank)


def _rank(change: Change) -> Rank:
    return Rank(change.rank)


def _paid(changes: Sequence[Change], rank: Rank, client: Client, *, first: bool) -> bool:
    """Deliver claimed changes of one rank as far as the rate budget pays for it; returns whether to go on."""
    with spending(rank, want=_REQUESTS) as purse:
        if seconds := purse.fill(want=_REQUESTS * len(changes), least=_REQUESTS):
            _put_off(changes, seconds)
            return False
        if first:
            outbox.wake()
        return deliver_each(changes, client)


def _put_off(changes: Sequence[Change], seconds: float | None) -> None:
    outbox.put_off(changes, until=timezone.now() + timedelta(seconds=seconds or 0.0))


def _backlog(rank: Rank, client: Client) -> tuple[int, bool]:
    """Deliver what is worth delivering in bulk, a retriever after the other; returns how many, and whether to go on.

    Only for a while: what a person waits for comes first in the next turn.
    """
    many, before, ends = 0, Round(), monotonic() + _BACKLOG
    while monotonic() < ends:
        found = bulk.planned(rank)
        # None is worth it, or somebody else has those of the last one.
        if found in {Round(), before}:
            break
        many, before = many + len(found.heads), found
        if not in_bulk(found, rank, client):
            return many, False
    return many, True


def in_bulk(found: Round, rank: Rank, client: Client) -> bool:
    """Deliver a planned round, what bulk cannot do one by one after it; returns whether to go on."""
    if not found.heads:
        return True
    with spending(rank, want=found.requests, patience=WHILE_NOBODY_WAITS):
        done = bulk.deliver(found, client)
        _settle(done.outcomes)
        if done.error:
            claims.release(done.singly)
            _give_up_together(done.stuck, done.error, sent=done.sent)
            return False
        return one_by_one(done.singly, client)


def one_by_one(changes: Sequence[Change], client: Client, *, within: float = _LONGEST_TURN) -> bool:
    """Deliver what a bulk round left, as far as a turn of a worker (in seconds) reaches; returns whether to go on."""
    ends = monotonic() + within
    for at in range(0, len(changes), _ROUND):
        if monotonic() > ends:
            claims.release(changes[at:])
            break
        if not deliver_each(changes[at : at + _ROUND], client):
            claims.release(changes[at + _ROUND :])
            return False
    return True


def deliver_each(changes: Sequence[Change], client: Client) -> bool:
    """Deliver claimed changes, a few at a time, and settle them together; returns whether to go on with others.

    Each is about another ref, so their order is of no account. What was delivered is settled when all were tried, or
    after a moment if that takes longer. When one cannot be delivered now, those not begun are left for later.
    """
    rows, left = rows_of(changes), {change.pk: change for change in changes}
    outcomes, failed, began = list[Outcome](), list[tuple[Change, MixpeekError]](), monotonic()
    for change, came in parallel.each(changes, lambda change: _tried(change, rows.get(change.ref), client)):
        del left[change.pk]
        if isinstance(came, MixpeekError):
            failed.append((change, came))
        elif came:
            outcomes.append(came)
        if monotonic() - began > _MOMENT:
            _settle(outcomes)
            outcomes, began = [], monotonic()
    _settle(outcomes)
    for change, error in failed:
        _give_up(change, list(left.values()), error)
        left.clear()
    return not failed


@contextmanager
def pausing_on_bad_settings() -> Iterator[None]:
    """Pause the outbox when there is no client to be had: the settings are at fault, not a decision."""
    try:
        yield
    except Unauthorized as error:
        with acting(None):
            outbox.pause(reason=error.message)


def probe(client: Client) -> bool:
    """While paused: try one due change, and let deliveries go on when our key is accepted again."""
    change = claims.claim(timezone.now(), probing=True)
    if change is None or not attempt(change, client):
        return False
    with acting(None, note="Mixpeek accepts our key again"):
        return outbox.resume()


def attempt(change: Change, client: Client) -> bool:
    """Try to deliver a claimed change; returns whether it makes sense to go on with others."""
    return deliver_each([change], client)


def _tried(change: Change, row: Any, client: Client) -> Outcome | None:
    """Try one change of `row`; None when there is nothing to settle. Raises `Unavailable` and `Unauthorized`."""
    job, target = current(), target_of(change)
    # With a subject of its own: others are tried at the same time.
    with tracing(job.origin, job.request_id):
        about(change.ref)
        try:
            if not row:
                return _nowhere(change, target)
            with prepaid(_REQUESTS):
                return target.bring(change, row, client)
        except NotFound as error:
            return _no(change, error, reason=f"The {target.word} is gone at Mixpeek: {error.message}", gone=True)
        except Refused as error:
            return _no(change, error, reason=error.message)
        except ClaimLost:
            _log.warning("held up for longer than the claim on %s; left to whoever has it now", change.ref)
        except Unreadable as error:
            # It is this record that cannot be read: the others need not wait.
            _postpone(change, reason=error.message, maybe_sent=error.maybe_applied)
        except MixpeekError:
            raise
        except Exception:
            _our_mistake(change)
    return None


def _nowhere(change: Change, target: Target) -> Outcome:
    return refused(change, f"The {target.word} this change was for has been deleted here.")


def _no(change: Change, error: Refused, *, reason: str, gone: bool = False) -> Outcome:
    return refused(change, reason, gone=gone, field_errors=error.fields, upstream_request_id=error.request_id)


def _settle(outcomes: Sequence[Outcome]) -> None:
    try:
        settle(outcomes)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        for outcome in outcomes:
            _our_mistake(outcome.change)


def _our_mistake(change: Change) -> None:
    """A mistake of ours must neither stop the others nor spin: it waits like an outage, and the page says so."""
    _log.exception("could not deliver %s", change.ref)
    _postpone(change, reason="Something went wrong on our side; the log says what.", maybe_sent=True)


def _give_up(change: Change, rest: Sequence[Change], error: MixpeekError) -> None:
    """Leave what cannot be delivered now: `change`, which met `error`, and the rest of its round."""
    if isinstance(error, OutOfBudget | Unauthorized) and not error.maybe_applied:
        _give_up_all([change, *rest], error)
        return
    known = error if isinstance(error, Unavailable) else Unavailable("")
    _postpone(change, reason=error.message, retry_after=known.retry_after, maybe_sent=error.maybe_applied)
    _give_up_all(rest, error)


def _give_up_all(changes: Sequence[Change], error: MixpeekError) -> None:
    """Leave them untried: what we met would meet every other as well."""
    if isinstance(error, OutOfBudget):
        _put_off(changes, error.retry_after)
        return
    with acting(None):
        claims.release(changes)
        if isinstance(error, Unauthorized):
            outbox.pause(reason=f"Mixpeek does not accept our key: {error.message}")


def _give_up_together(changes: Sequence[Change], error: MixpeekError, *, sent: bool) -> None:
    """Leave what was to be delivered in bulk; what was tried goes one by one the next time."""
    untried = isinstance(error, OutOfBudget) and not sent
    if not changes or untried or isinstance(error, Unauthorized):
        _give_up_all(changes, error)
        return
    retry_after = error.retry_after if isinstance(error, Unavailable) else None
    pause = backoff_delay(1, retry_after=retry_after, jitter=_dice.random())
    with acting(None):
        outbox.postpone_many(changes, until=timezone.now() + pause, reason=error.message)


def _postpone(change: Change, *, reason: str, retry_after: float | None = None, maybe_sent: bool) -> None:
    pause = backoff_delay(change.attempts + 1, retry_after=retry_after, jitter=_dice.random())
    with acting(None):
        outbox.postpone(change, until=timezone.now() + pause, reason=reason, maybe_sent=maybe_sent)
