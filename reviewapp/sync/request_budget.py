"""Pay each request to Mixpeek from the shared budget: a few tokens at a time, unused ones returned.

with spending(Rank.BULK, want=32):
    client.list_annotations()

Outside of any `spending`, a request is interactive and paid by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from django.db import connection
from django.utils.translation import gettext as _

from reviewapp.mixpeek.exceptions import Unavailable
from reviewapp.mixpeek.rate_hooks import Limit
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.rate_limit.token_bucket import Rank

# How long a request waits for its tokens, in seconds.
WHILE_A_PERSON_WAITS = 5.0
WHILE_NOBODY_WAITS = 10.0
_MIN_SLEEP = 0.01
# In seconds: an unchanged limit is recorded again after this, since the budget forgets old ones.
_RECORD_INTERVAL = 120.0


class OutOfBudget(Unavailable):
    """The rate budget has no tokens for this request; nothing was sent. See `retry_after`."""

    def __init__(self, seconds: float) -> None:
        message = _("The limit of requests to Mixpeek is used up for now.")
        super().__init__(message, retry_after=seconds)


class Purse:
    """Tokens of one rank for the requests of one job, which its threads share.

    `patience` is how many seconds a request may wait for a token. `taken_from` is the purse that
    paid for this one.
    """

    def __init__(
        self,
        rank: Rank,
        *,
        want: int = 1,
        patience: float = 0.0,
        taken_from: Purse | None = None,
    ) -> None:
        self.rank = rank
        self.tokens = 0
        self.taken_from = taken_from
        self._want = want
        self._patience = patience
        self._lock = Lock()

    def fill(self, *, want: int, least: int = 1, whole: bool = False) -> float:
        """Get at least `least` tokens, at best `want`; returns 0 or the seconds until a retry."""
        if self.tokens >= least:
            return 0.0
        grant = shared_budget.reserve(
            self.rank,
            want=want,
            least=least,
            back=self.tokens,
            whole=whole,
        )
        self.tokens = grant.tokens
        return grant.wait

    def take(self, tokens: int = 1) -> None:
        """Take the tokens of some requests, all or none, waiting for them up to `patience`.

        Raises `OutOfBudget` when the wait is longer. Does not wait inside a transaction.
        """
        patience = self._patience
        if connection.in_atomic_block:
            patience = 0.0

        with self._lock:
            while wait := self.fill(want=max(self._want, tokens), least=tokens):
                if wait > patience:
                    raise OutOfBudget(wait)
                seconds = max(wait, _MIN_SLEEP)
                time.sleep(seconds)
                patience -= seconds
            self.tokens -= tokens

    def put_back(self, tokens: int) -> None:
        """Put back tokens that were taken and not used."""
        with self._lock:
            self.tokens += tokens

    def empty(self) -> None:
        """Return the unused tokens to the shared budget."""
        shared_budget.refund_tokens(self.rank, self.tokens)
        self.tokens = 0


_purse: ContextVar[Purse | None] = ContextVar("reviewapp_purse", default=None)


@contextmanager
def spending(rank: Rank, *, want: int = 1, patience: float = 0.0) -> Iterator[Purse]:
    """Pay all requests made inside as requests of a rank, `want` tokens at a time."""
    purse = Purse(rank, want=want, patience=patience)
    reset_token = _purse.set(purse)
    try:
        yield purse
    finally:
        _purse.reset(reset_token)
        purse.empty()


@contextmanager
def prepaid(requests: int) -> Iterator[None]:
    """Pay so many requests before the first is sent; raises `OutOfBudget` if that is impossible.

    Otherwise work that starts and cannot finish would spend every new token on starting again. If
    it needs more requests than that, it waits for them. Outside of any `spending` nothing is paid
    beforehand.
    """
    shared = _purse.get()
    if shared is None:
        yield
        return

    shared.take(requests)
    own = Purse(shared.rank, patience=WHILE_NOBODY_WAITS, taken_from=shared)
    own.tokens = requests
    reset_token = _purse.set(own)
    try:
        yield
    finally:
        _purse.reset(reset_token)
        shared.put_back(own.tokens)


class BudgetPace:
    """The rate hooks of this process's client, which pay from the shared budget."""

    def __init__(self) -> None:
        self._recorded_limit = Limit()
        self._recorded_at = 0.0

    def ask(self) -> None:
        """Wait until a request may be sent; raises `OutOfBudget` when the wait is too long."""
        purse = _purse.get()
        if purse is None:
            purse = Purse(Rank.INTERACTIVE, patience=WHILE_A_PERSON_WAITS)
        purse.take()

    def refused(self, retry_after: float | None) -> None:
        """Lower the shared limit, and drop the tokens of this job."""
        purse = _purse.get()
        while purse:
            purse.tokens = 0
            purse = purse.taken_from

        reason = "Mixpeek answered 429, too many requests"
        if retry_after:
            reason = f"{reason}, to ask again after {retry_after:.0f} s"
        shared_budget.lower_limit(retry_after=retry_after, reason=f"{reason}.")

    def record_limit(self, limit: Limit) -> None:
        """Record the limit that the server announced, an unchanged one only now and then."""
        now = time.monotonic()
        is_unchanged = limit.opens_in is None and limit == self._recorded_limit
        if is_unchanged and now - self._recorded_at < _RECORD_INTERVAL:
            return

        self._recorded_limit = limit
        self._recorded_at = now
        shared_budget.record_limit(per_minute=limit.per_minute, opens_in=limit.opens_in)
