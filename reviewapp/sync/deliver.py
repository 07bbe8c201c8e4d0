"""Deliver one claimed change: read upstream, compare, PATCH, compare the reply, settle. In that order.

No transaction is open during a call. Whatever happens, the change ends up delivered, in conflict or refused, or is due
again: postponed when Mixpeek is unavailable, untouched when this process dies (its claim runs out).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from reviewapp.audit.trace import about, acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused, Unauthorized, Unavailable
from reviewapp.outbox import services as outbox
from reviewapp.outbox.backoff import wait
from reviewapp.outbox.bucket import Rank
from reviewapp.outbox.models import Change
from reviewapp.sync import deliver_annotation, deliver_retriever
from reviewapp.sync.pace import OutOfBudget, spending
from reviewapp.sync.target import ClaimLost, DeletedHere, Target

_dice = random.SystemRandom()
_log = logging.getLogger(__name__)
# By the kind of ref, its part before the slash.
_TARGETS: dict[str, Target] = {"annotations": deliver_annotation.TARGET, "retrievers": deliver_retriever.TARGET}


def drain(client: Client, *, most: int = 50) -> int:
    """Deliver up to `most` due changes, one after the other; returns how many were tried.

    Stops early when Mixpeek is unavailable or our key is refused, since the next change would meet the same. The first
    claim wakes one more worker, so that a backlog spreads over all of them; a full round wakes another, so that no
    round is long and a worker can stop between two.
    """
    with spending(Rank.INTERACTIVE, want=2):
        for tried in range(most):
            change = outbox.claim(timezone.now())
            if change is None:
                return tried
            if tried == 0:
                outbox.wake()
            if not attempt(change, client):
                return tried + 1
    outbox.wake()
    return most


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
    change = outbox.claim(timezone.now(), probing=True)
    if change is None or not attempt(change, client):
        return False
    with acting(None, note="Mixpeek accepts our key again"):
        return outbox.resume()


def attempt(change: Change, client: Client) -> bool:
    """Try to deliver a claimed change; returns whether it makes sense to go on with others."""
    about(change.ref)
    target = _TARGETS[change.ref.partition("/")[0]]
    try:
        target.bring(change, client)
    except Unauthorized as error:
        with acting(None):
            outbox.release(change)
            outbox.pause(reason=f"Mixpeek does not accept our key: {error.message}")
        return False
    except OutOfBudget as error:
        outbox.put_off([change], until=timezone.now() + timedelta(seconds=error.retry_after or 0.0))
        return False
    except Unavailable as error:
        _postpone(change, reason=error.message, retry_after=error.retry_after, maybe_sent=error.maybe_applied)
        return False
    except NotFound as error:
        _refuse(change, target, error, reason=f"The {target.word} is gone at Mixpeek: {error.message}", gone=True)
    except Refused as error:
        _refuse(change, target, error, reason=error.message)
    except DeletedHere:
        with acting(None):
            outbox.refuse(change, reason=f"The {target.word} this change was for has been deleted here.")
    except ClaimLost:
        _log.warning("held up for longer than the claim on %s; left to whoever has it now", change.ref)
    except Exception:
        # A mistake of ours must neither stop the others nor spin: it waits like an outage, and the page says so.
        _log.exception("could not deliver %s", change.ref)
        _postpone(change, reason="Something went wrong on our side; the log says what.", maybe_sent=True)
    return True


def _postpone(change: Change, *, reason: str, retry_after: float | None = None, maybe_sent: bool) -> None:
    pause = wait(change.attempts + 1, retry_after=retry_after, dice=_dice.random())
    with acting(None):
        outbox.postpone(change, until=timezone.now() + pause, reason=reason, maybe_sent=maybe_sent)


def _refuse(change: Change, target: Target, error: Refused, *, reason: str, gone: bool = False) -> None:
    with acting(None):
        outbox.refuse(change, reason=reason, field_errors=error.fields, upstream_request_id=error.request_id)
        settle = target.mark_gone if gone else target.rebase
        settle(change.ref)
