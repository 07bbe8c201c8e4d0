"""Leave Mixpeek alone for a while after it could not answer: hints can wait, and it said for how long."""

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
_dice = random.SystemRandom()


def is_quiet(now: datetime) -> bool:
    """Return whether Mixpeek is to be left alone at `now`."""
    return Quiet.objects.filter(until__gt=now).exists()


@transaction.atomic
def keep_quiet(error: MixpeekError) -> None:
    """Ask for nothing until what `error` says, or a while that doubles with each failure in a row, is over."""
    before = Quiet.objects.select_for_update().filter(id=1).first()
    attempts = before.attempts + 1 if before else 1
    retry_after = error.retry_after if isinstance(error, Unavailable) else None
    until = timezone.now() + backoff_delay(attempts, retry_after=retry_after, jitter=_dice.random())
    Quiet.objects.update_or_create(id=1, defaults={"until": until, "attempts": attempts})
    _log.info("Mixpeek is not asked for news until %s: %s", until.isoformat(timespec="seconds"), error.message)


def speak_again() -> None:
    """Mixpeek has answered: forget the failures before."""
    Quiet.objects.all().delete()
