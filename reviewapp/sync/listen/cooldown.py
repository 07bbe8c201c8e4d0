"""Send no requests that can wait for a while after Mixpeek was unavailable."""

from __future__ import annotations

import logging
import random
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from reviewapp.mixpeek.exceptions import MixpeekError, Unavailable
from reviewapp.outbox.backoff import backoff_delay
from reviewapp.sync.models import Quiet

_log = logging.getLogger(__name__)
_random = random.SystemRandom()


def is_cooling_down(now: datetime) -> bool:
    """Return whether requests that can wait are suspended at `now`."""
    return Quiet.objects.filter(until__gt=now).exists()


@transaction.atomic
def start_cooldown(error: MixpeekError) -> None:
    """Suspend requests for the `retry_after` of `error`, or a back-off that doubles each time."""
    previous = Quiet.objects.select_for_update().filter(id=1).first()
    attempts = 1
    if previous:
        attempts = previous.attempts + 1
    retry_after = None
    if isinstance(error, Unavailable):
        retry_after = error.retry_after
    delay = backoff_delay(attempts, retry_after=retry_after, jitter=_random.random())
    until = timezone.now() + delay

    Quiet.objects.update_or_create(id=1, defaults={"until": until, "attempts": attempts})
    _log.info(
        "Mixpeek is not asked for news until %s: %s",
        until.isoformat(timespec="seconds"),
        error.message,
    )


def end_cooldown() -> None:
    """Reset the back-off after Mixpeek has answered."""
    Quiet.objects.all().delete()
