"""Limits on the requests to Mixpeek that pages wait for, so that a hanging Mixpeek blocks no page.

    with CALLS.entered(), asking(person):
        client(impatient=True).get_execution(...)

1. A gate lets a few requests of this process through at a time; others get a 503 at once.
2. A circuit breaker opens after some requests in a row without a reply; later it lets one through.
3. Each person may spend a small share of the rate budget a minute.

Workers are not limited here: nobody waits for them.
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
from django.db import connection, transaction
from django.utils.translation import gettext as _

from reviewapp.mixpeek.exceptions import MixpeekError, Unavailable
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.request_budget import OutOfBudget, spending

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# How many of a web process's 8 threads may wait for files, and for API calls. The rest serve pages.
MAX_FILES = 4
MAX_CALLS = 2
# How long a request waits for tokens of the rate budget, in seconds.
_PATIENCE = 1.0
_MAX_FAILURES = 3
_OPEN_SECONDS = 15.0
# Of the rate budget, for each person; and the minimum of requests a minute.
_SHARE = 0.1
_MIN_SHARE = 5
_TOO_MANY_REQUESTS = 429
# The first key of the advisory locks on a person's share; the second key is the person.
_LOCK = 1_919_250_537


class TooBusy(Unavailable):
    """The gate is full or the breaker is open; nothing was sent."""


class ShareSpent(Unavailable):
    """The person has spent their share of requests for this minute; nothing was sent."""


class Gate:
    """Lets `limit` threads of this process through at a time."""

    def __init__(self, limit: int) -> None:
        self._free = BoundedSemaphore(limit)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Occupy a place; raises `TooBusy` at once when there is none."""
        if not self._free.acquire(blocking=False):
            raise TooBusy(
                _("Too many requests are waiting for Mixpeek. Try again in a moment."),
                retry_after=1.0,
            )
        try:
            yield
        finally:
            self._free.release()


class CircuitBreaker:
    """A circuit breaker: opens after some requests in a row without a reply, then lets one try."""

    def __init__(
        self,
        *,
        failures: int = _MAX_FAILURES,
        seconds: float = _OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_failures = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._open_until = 0.0

    def admit(self) -> None:
        """Let a request through, or raise `TooBusy` with the seconds until one may pass."""
        with self._lock:
            if self._failures < self._max_failures:
                return

            seconds_left = self._open_until - self._clock()
            if seconds_left > 0:
                raise TooBusy(
                    _("Mixpeek is not answering. Try again in a minute."),
                    retry_after=seconds_left,
                )

            # This request tries; the others wait for its result.
            self._open_until = self._clock() + self._seconds

    def failed(self) -> None:
        """Count a request that got no reply."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._max_failures:
                self._open_until = self._clock() + self._seconds

    def succeeded(self) -> None:
        """Close the breaker: Mixpeek replied, whatever the reply."""
        with self._lock:
            self._failures = 0


FILES = Gate(MAX_FILES)
CALLS = Gate(MAX_CALLS)
# By Mixpeek's base URL: one in each process, several in tests.
_breakers: defaultdict[str, CircuitBreaker] = defaultdict(CircuitBreaker)


@contextmanager
def interactive_requests(person: User | None) -> Iterator[None]:
    """Allow requests while `person` waits, paid from their share (None: not counted).

    Raises `TooBusy` or `ShareSpent` before anything is sent.
    """
    breaker = _breakers[settings.MIXPEEK_BASE_URL]
    breaker.admit()
    if person is not None:
        spend_share(person)

    try:
        with spending(Rank.INTERACTIVE, patience=_PATIENCE):
            yield
    except MixpeekError as error:
        if not isinstance(error, OutOfBudget):
            if isinstance(error, Unavailable) and error.status != _TOO_MANY_REQUESTS:
                breaker.failed()
            else:
                breaker.succeeded()
        raise
    else:
        breaker.succeeded()


def requests_per_person() -> int:
    """Return how many requests a minute one person may cause."""
    return max(_MIN_SHARE, int(settings.MIXPEEK_REQUESTS_PER_MINUTE * _SHARE))


def spend_share(person: User) -> None:
    """Count a request of this person; raises `ShareSpent` above `requests_per_person`."""
    minute, seconds = divmod(time.time(), 60)
    key = f"mixpeek-share:{person.pk}:{int(minute)}"

    with transaction.atomic():
        # One at a time for each person: the cache alone may lose a count.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, person.pk % 2**31])
        spent = int(cache.get(key, 0))
        if spent < requests_per_person():
            cache.set(key, spent + 1, timeout=120)
            return

    message = _(
        "You have sent %(number)s requests to Mixpeek within a minute, which is the limit. Wait a "
        "minute."
    )
    raise ShareSpent(message % {"number": spent}, retry_after=60 - seconds)
