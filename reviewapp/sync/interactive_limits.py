"""What web requests may ask of Mixpeek while somebody waits, so that a Mixpeek that hangs stops none of our pages.

    with CALLS.entered(), asking(person):
        client(seconds=settings.MIXPEEK_PAGE_TIMEOUT).get_execution(...)

1. A gate lets so many requests of this process in at a time; the others are answered 503 at once.
2. A breaker refuses for a while after some requests in a row had no answer, then lets a single one try.
3. Each person may spend a small share of the rate budget like this in a minute.

Workers are not concerned: nobody waits for them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from reviewapp.asked import rows
from reviewapp.mixpeek.exceptions import MixpeekError, Unavailable
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.rate_limited_client import OutOfBudget, spending

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# Of the threads of a web process (8) so many may wait for files, and so many for API calls; the rest serves pages.
MOST_FILES, MOST_CALLS = 4, 2
# How long a request waits for its turn in the rate budget, in seconds.
_PATIENCE = 1.0
_FAILURES_IN_A_ROW, _OPEN_SECONDS = 3, 15.0
_SHARE, _LEAST_A_MINUTE = 0.1, 5
_TOO_MANY = 429
# The first key of our advisory locks on somebody's share; the second one is the person.
_LOCK = 1_919_250_537


class TooBusy(Unavailable):
    """This process waits for Mixpeek as often as it may, or Mixpeek does not answer anyway; nothing was sent."""


class ShareSpent(Unavailable):
    """This person has had their share of the requests to Mixpeek for this minute; nothing was sent."""


class Gate:
    """Lets `most` threads of this process in at a time."""

    def __init__(self, most: int) -> None:
        self._free = BoundedSemaphore(most)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside; raises `TooBusy` at once when all places are taken."""
        if not self._free.acquire(blocking=False):
            raise TooBusy("Too many requests wait for Mixpeek already. Try again in a moment.", retry_after=1.0)
        try:
            yield
        finally:
            self._free.release()


class Breaker:
    """Refuses requests for a while after some in a row had no answer; then a single one may try."""

    def __init__(
        self,
        *,
        failures: int = _FAILURES_IN_A_ROW,
        seconds: float = _OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._clock = failures, seconds, clock
        self._changing = Lock()
        self._failures = 0
        self._shut_until = 0.0

    def admit(self) -> None:
        """Return when a request may be sent; raises `TooBusy` with the seconds until one may."""
        with self._changing:
            if self._failures < self._most:
                return

            left = self._shut_until - self._clock()
            if left > 0:
                raise TooBusy("Mixpeek does not answer at the moment. Try again in a while.", retry_after=left)

            # This request tries; the others wait for what comes of it.
            self._shut_until = self._clock() + self._seconds

    def failed(self) -> None:
        """Count a request that had no answer."""
        with self._changing:
            self._failures += 1
            if self._failures >= self._most:
                self._shut_until = self._clock() + self._seconds

    def succeeded(self) -> None:
        """Note that Mixpeek answers, whatever it said."""
        with self._changing:
            self._failures = 0


FILES, CALLS = Gate(MOST_FILES), Gate(MOST_CALLS)
# By the address of the Mixpeek that they are about, which is one for each process.
_breakers: defaultdict[str, Breaker] = defaultdict(Breaker)


@contextmanager
def asking(person: User | None) -> Iterator[None]:
    """Make requests while `person` waits, paid from their share (None: from nobody's).

    Raises `TooBusy` or `ShareSpent` before anything is sent.
    """
    breaker = _breakers[settings.MIXPEEK_BASE_URL]
    breaker.admit()
    if person is not None:
        _spend_share(person)

    try:
        with spending(Rank.INTERACTIVE, patience=_PATIENCE):
            yield
    except MixpeekError as error:
        if not isinstance(error, OutOfBudget):
            _report(error, breaker)
        raise
    else:
        breaker.succeeded()


def share() -> int:
    """Return how many requests a minute one person may cause like this."""
    return max(_LEAST_A_MINUTE, int(settings.MIXPEEK_REQUESTS_PER_MINUTE * _SHARE))


def _spend_share(person: User) -> None:
    minute, passed = divmod(time.time(), 60)
    key = f"mixpeek-share:{person.pk}:{int(minute)}"

    with transaction.atomic():
        # One at a time for each person: the cache itself may lose a count.
        rows("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, person.pk % 2**31])
        spent = int(cache.get(key, 0))
        if spent < share():
            cache.set(key, spent + 1, timeout=120)
            return

    message = f"You have asked Mixpeek {spent} times within a minute, which is the most for one person. Wait a little."
    raise ShareSpent(message, retry_after=60 - passed)


def _report(error: MixpeekError, breaker: Breaker) -> None:
    if isinstance(error, Unavailable) and error.status != _TOO_MANY:
        breaker.failed()
    else:
        breaker.succeeded()
