"""Deliver due changes: claim, read upstream, compare, PATCH, compare the reply, settle.

No transaction is open during a call. Whatever happens, a change ends up delivered, in conflict or
refused, or is due again: postponed when Mixpeek is unavailable, untouched when this process dies
(its claim expires).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from reviewapp.audit.context import acting, current_trace, set_subject, tracing
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import (
    MixpeekError,
    NotFound,
    Refused,
    Unauthorized,
    Unavailable,
    Unreadable,
)
from reviewapp.outbox import claims
from reviewapp.outbox import services as outbox
from reviewapp.outbox.backoff import backoff_delay
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.deliver import bulk, parallel
from reviewapp.sync.deliver.bulk_plan import BulkPlan
from reviewapp.sync.deliver.outcome import ClaimLost, DeliveryOutcome, refused
from reviewapp.sync.deliver.settle import handler_for, load_change_rows, settle_outcomes
from reviewapp.sync.request_budget import (
    WHILE_NOBODY_WAITS,
    OutOfBudget,
    prepaid,
    spending,
)

_random = random.SystemRandom()
_log = logging.getLogger(__name__)
# How many changes a round claims. The first round is smaller, since the rest may go in bulk.
_FIRST_ROUND_SIZE = 16
_ROUND_SIZE = 32
# A round of so many changes shows that more is due: it may be worth going in bulk.
_BACKLOG_SIZE = 12
# A delivery reads and writes.
_REQUESTS_PER_CHANGE = 2
# In seconds: outcomes are settled at least this often, so that pages soon show "delivered".
_SETTLE_INTERVAL = 0.5
# In seconds: no further bulk round starts after this.
_BULK_DURATION = 2.0
# In seconds: a worker that is told to stop finishes its turn first.
_MAX_TURN = 15.0


def drain(client: Client, *, limit: int = 50) -> int:
    """Deliver up to about `limit` due changes of both ranks; returns how many were attempted.

    Stops early when Mixpeek is unavailable, our key is refused or the rate budget is spent, since
    the next change would fail the same way. The first round wakes one more worker, so that a
    backlog spreads over all of them; a full turn wakes another, so that no turn is long and a
    worker can stop between two.
    """
    attempted = 0
    tried_bulk = False

    while attempted < limit:
        round_size = _FIRST_ROUND_SIZE
        if tried_bulk:
            round_size = _ROUND_SIZE
        changes_by_rank = claims.claim_round(round_size)
        if not changes_by_rank:
            return attempted

        is_first = attempted == 0
        claimed = 0
        can_continue = True
        for rank, changes in changes_by_rank.items():
            claimed += len(changes)
            if not _deliver_within_budget(changes, rank, client, is_first=is_first):
                can_continue = False
        attempted += claimed

        # Where the budget did not pay for single deliveries, it may pay for bulk.
        if claimed >= _BACKLOG_SIZE and not tried_bulk:
            tried_bulk = True
            attempted_in_bulk, can_continue_bulk = _deliver_backlog(list(changes_by_rank), client)
            attempted += attempted_in_bulk
            if not can_continue_bulk:
                return attempted

        if not can_continue:
            return attempted

    outbox.wake()
    return attempted


def _deliver_within_budget(
    changes: Sequence[Change],
    rank: Rank,
    client: Client,
    *,
    is_first: bool,
) -> bool:
    """Deliver claimed changes of one rank if the budget allows; returns whether to continue."""
    with spending(rank, want=_REQUESTS_PER_CHANGE) as purse:
        seconds = purse.fill(
            want=_REQUESTS_PER_CHANGE * len(changes),
            least=_REQUESTS_PER_CHANGE,
        )
        if seconds:
            _postpone_untried(changes, seconds)
            return False

        if is_first:
            outbox.wake()
        return deliver_claimed(changes, client)


def _deliver_backlog(ranks: Sequence[Rank], client: Client) -> tuple[int, bool]:
    """Deliver the backlog of each rank in bulk, one retriever after the other.

    Returns how many changes were attempted, and whether to continue. Starts no round of a rank
    after `_BULK_DURATION`, since interactive changes come first in the next turn.
    """
    attempted = 0
    for rank in ranks:
        previous = BulkPlan()
        deadline = monotonic() + _BULK_DURATION

        while monotonic() < deadline:
            plan = bulk.plan_backlog(rank)
            # Nothing is worth it, or another worker has claimed the changes of the previous plan.
            if plan in {BulkPlan(), previous}:
                break
            attempted += len(plan.heads)
            previous = plan
            if not deliver_in_bulk(plan, rank, client):
                return attempted, False
    return attempted, True


def deliver_in_bulk(plan: BulkPlan, rank: Rank, client: Client) -> bool:
    """Deliver a bulk plan, then one by one what bulk could not; returns whether to continue."""
    if not plan.heads:
        return True

    with spending(rank, want=plan.requests, patience=WHILE_NOBODY_WAITS):
        result = bulk.deliver_plan(plan, client)
        _settle(result.outcomes)
        if not result.error:
            return deliver_one_by_one(result.fallback, client)

        claims.release(result.fallback)
        error = result.error
        is_untried = isinstance(error, OutOfBudget) and not result.sent
        if is_untried or isinstance(error, Unauthorized) or not result.unfinished:
            _release_all(result.unfinished, error)
        else:
            # They go one by one next time.
            delay = backoff_delay(1, retry_after=_retry_after(error), jitter=_random.random())
            until = timezone.now() + delay
            with acting(None):
                outbox.postpone_many(result.unfinished, until=until, reason=error.message)
        return False


def deliver_one_by_one(
    changes: Sequence[Change],
    client: Client,
    *,
    max_seconds: float = _MAX_TURN,
) -> bool:
    """Deliver in rounds what a bulk plan left, for `max_seconds`; returns whether to continue."""
    deadline = monotonic() + max_seconds
    for start in range(0, len(changes), _ROUND_SIZE):
        end = start + _ROUND_SIZE
        if monotonic() > deadline:
            claims.release(changes[start:])
            break
        if not deliver_claimed(changes[start:end], client):
            claims.release(changes[end:])
            return False
    return True


def deliver_claimed(changes: Sequence[Change], client: Client) -> bool:
    """Deliver claimed changes, a few in parallel, and settle them; returns whether to continue.

    Each is about another ref, so their order does not matter. Outcomes are settled when all were
    attempted, or every `_SETTLE_INTERVAL`. When one cannot be delivered now, those not started are
    released.
    """
    rows = load_change_rows(changes)
    unstarted = {change.pk: change for change in changes}
    outcomes: list[DeliveryOutcome] = []
    failures: list[tuple[Change, MixpeekError]] = []
    settled_at = monotonic()

    def attempt_one(change: Change) -> DeliveryOutcome | None:
        return _attempt(change, rows.get(change.ref), client)

    for change, result in parallel.run_parallel(changes, attempt_one):
        del unstarted[change.pk]
        if isinstance(result, MixpeekError):
            failures.append((change, result))
        elif result:
            outcomes.append(result)

        if monotonic() - settled_at > _SETTLE_INTERVAL:
            _settle(outcomes)
            outcomes = []
            settled_at = monotonic()
    _settle(outcomes)

    for change, error in failures:
        _postpone_or_release(change, list(unstarted.values()), error)
        unstarted.clear()
    return not failures


@contextmanager
def pausing_on_bad_settings() -> Iterator[None]:
    """Pause the outbox when the settings allow no client: no change is at fault."""
    try:
        yield
    except Unauthorized as error:
        with acting(None):
            outbox.pause(reason=error.message)


def probe(client: Client) -> bool:
    """While paused, attempt one due change, and resume when Mixpeek accepts the API key again."""
    change = claims.claim(timezone.now(), probing=True)
    if change is None or not attempt(change, client):
        return False
    with acting(None, note="Mixpeek accepts the API key again"):
        return outbox.resume()


def attempt(change: Change, client: Client) -> bool:
    """Attempt to deliver one claimed change; returns whether to continue with others."""
    return deliver_claimed([change], client)


def _attempt(change: Change, row: Any, client: Client) -> DeliveryOutcome | None:
    """Attempt one change of `row`; returns None when there is nothing to settle.

    Raises those `MixpeekError`s that would meet every other change as well.
    """
    job = current_trace()
    handler = handler_for(change)
    if not row:
        return refused(change, f"The {handler.noun} this change was for has been deleted here.")

    # A history context of its own, since other changes are attempted at the same time.
    with tracing(job.origin, job.request_id):
        set_subject(change.ref)
        try:
            with prepaid(_REQUESTS_PER_CHANGE):
                return handler.deliver(change, row, client)
        except Refused as error:
            return _outcome_of_refusal(change, error, handler.noun)
        except ClaimLost:
            _log.warning(
                "held up for longer than the claim on %s; left to whoever has it now",
                change.ref,
            )
        except Unreadable as error:
            # Only this record cannot be read: the others need not wait.
            _postpone(change, reason=error.message, maybe_sent=error.maybe_applied)
        except Unavailable as error:
            if not _is_final(error, change):
                raise
            reason = f"Mixpeek says that retrying will not help: {error.message}"
            return refused(change, reason, upstream_request_id=error.request_id)
        except MixpeekError:
            raise
        except Exception:
            _postpone_after_bug(change)
    return None


def _outcome_of_refusal(change: Change, error: Refused, noun: str) -> DeliveryOutcome:
    is_gone = isinstance(error, NotFound)
    reason = error.message
    if is_gone:
        reason = f"The {noun} is gone at Mixpeek: {error.message}"
    return refused(
        change,
        reason,
        gone=is_gone,
        field_errors=error.fields,
        upstream_request_id=error.request_id,
    )


def _is_final(error: Unavailable, change: Change) -> bool:
    """Return whether Mixpeek says that this very change will fail again.

    A limit (429) is about our key: it passes, or meets every other change as well. Where the
    change may have been applied, one more try reads first what is there.
    """
    if error.retryable or error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return False
    return change.maybe_sent or not error.maybe_applied


def _settle(outcomes: Sequence[DeliveryOutcome]) -> None:
    try:
        settle_outcomes(outcomes)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        for outcome in outcomes:
            _postpone_after_bug(outcome.change)


def _postpone_after_bug(change: Change) -> None:
    """Log our own error and postpone the change, so that it neither blocks others nor spins."""
    _log.exception("could not deliver %s", change.ref)
    _postpone(
        change,
        reason="Something went wrong here. See the log.",
        maybe_sent=True,
    )


def _postpone_or_release(change: Change, unstarted: Sequence[Change], error: MixpeekError) -> None:
    """Postpone `change`, which failed with `error`, and release the rest of its round."""
    if isinstance(error, OutOfBudget | Unauthorized) and not error.maybe_applied:
        _release_all([change, *unstarted], error)
        return

    _postpone(
        change,
        reason=error.message,
        retry_after=_retry_after(error),
        maybe_sent=error.maybe_applied,
    )
    _release_all(unstarted, error)


def _release_all(changes: Sequence[Change], error: MixpeekError) -> None:
    """Release the changes untried, since each would fail with `error`; pause if it is our key."""
    if isinstance(error, OutOfBudget):
        _postpone_untried(changes, error.retry_after)
        return

    with acting(None):
        claims.release(changes)
        if isinstance(error, Unauthorized):
            outbox.pause(reason=f"Mixpeek does not accept the API key: {error.message}")


def _postpone(
    change: Change,
    *,
    reason: str,
    retry_after: float | None = None,
    maybe_sent: bool,
) -> None:
    attempts = change.attempts + 1
    delay = backoff_delay(attempts, retry_after=retry_after, jitter=_random.random())
    with acting(None):
        outbox.postpone(
            change,
            until=timezone.now() + delay,
            reason=reason,
            maybe_sent=maybe_sent,
        )


def _postpone_untried(changes: Sequence[Change], seconds: float | None) -> None:
    outbox.postpone_untried(changes, until=timezone.now() + timedelta(seconds=seconds or 0.0))


def _retry_after(error: MixpeekError) -> float | None:
    if isinstance(error, Unavailable):
        return error.retry_after
    return None
