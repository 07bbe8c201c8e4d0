"""Pays each request to Mixpeek from the rate budget: a few tokens at a time, those not used given back.

with spending(Rank.BULK, want=32, least=2) as purse:
    purse.left

Outside of any `spending`, a request is one that somebody waits for, and is paid for by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from django.db import connection

from reviewapp.mixpeek.exceptions import Unavailable
from reviewapp.mixpeek.rate_hooks import Limit
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.rate_limit.token_bucket import Rank

# How long a request waits for its turn where a person waits for it, and where nobody does.
WHILE_A_PERSON_WAITS, WHILE_NOBODY_WAITS = 5.0, 10.0
_SHORTEST_NAP = 0.01
# The budget forgets a limit that nobody speaks of any more.
_SAID_AGAIN_AFTER = 120.0


class OutOfBudget(Unavailable):
    """We may not ask Mixpeek more often right now; ask again after `retry_after` seconds. Nothing was sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__("All requests to Mixpeek that are allowed for now are spoken for.", retry_after=seconds)


class Purse:
    """Tokens of one rank for the requests of one job; `patience` is how many seconds a request may wait for one.

    The threads of a job share it. `taken_from` is the one that paid for it.
    """

    def __init__(self, rank: Rank, *, want: int = 1, patience: float = 0.0, taken_from: Purse | None = None) -> None:
        self.rank, self.left, self.taken_from = rank, 0, taken_from
        self._want, self._patience, self._turn = want, patience, Lock()

    def fill(self, *, want: int, least: int = 1, whole: bool = False) -> float:
        """Have at least `least` tokens, at best `want`; returns 0 when there are, else how many seconds to wait."""
        if self.left >= least:
            return 0.0
        grant = shared_budget.reserve(self.rank, want=want, least=least, back=self.left, whole=whole)
        self.left = grant.tokens
        return grant.wait

    def take(self, tokens: int = 1) -> None:
        """Take the tokens of some requests, waiting for them if need be; raises `OutOfBudget` when that takes too long.

        Either all of them are taken or none.
        """
        patience = 0.0 if connection.in_atomic_block else self._patience
        with self._turn:
            while wait := self.fill(want=max(self._want, tokens), least=tokens):
                if wait > patience:
                    raise OutOfBudget(wait)
                nap = max(wait, _SHORTEST_NAP)
                time.sleep(nap)
                patience -= nap
            self.left -= tokens

    def put_back(self, tokens: int) -> None:
        """Return tokens that were taken and not used."""
        with self._turn:
            self.left += tokens

    def empty(self) -> None:
        """Give back what was not used."""
        shared_budget.refund(self.rank, self.left)
        self.left = 0


_purse: ContextVar[Purse | None] = ContextVar("reviewapp_purse", default=None)


@contextmanager
def spending(rank: Rank, *, want: int = 1, patience: float = 0.0) -> Iterator[Purse]:
    """Pay all requests made inside as requests of a rank, `want` tokens at a time."""
    purse = Purse(rank, want=want, patience=patience)
    before = _purse.set(purse)
    try:
        yield purse
    finally:
        _purse.reset(before)
        purse.empty()


@contextmanager
def prepaid(requests: int) -> Iterator[None]:
    """Pay so many requests before the first one is sent; raises `OutOfBudget` when they cannot all be paid now.

    Work that was begun and cannot go on would spend what comes in on beginning again and again. If it needs more
    requests than that, it waits for them. Outside of any `spending` nothing is paid beforehand.
    """
    shared = _purse.get()
    if shared is None:
        yield
        return
    shared.take(requests)
    own = Purse(shared.rank, patience=WHILE_NOBODY_WAITS, taken_from=shared)
    own.left = requests
    before = _purse.set(own)
    try:
        yield
    finally:
        _purse.reset(before)
        shared.put_back(own.left)


class Budgeted:
    """The pace of the one client of this process."""

    def __init__(self) -> None:
        self._told, self._told_at = Limit(), 0.0

    def ask(self) -> None:
        """Return when a request may be sent now; raises `OutOfBudget` when it may not."""
        purse = _purse.get()
        if purse is None:
            Purse(Rank.INTERACTIVE, patience=WHILE_A_PERSON_WAITS).take()
        else:
            purse.take()

    def refused(self, retry_after: float | None) -> None:
        """Lower what everybody may ask, and drop what this job still had."""
        purse = _purse.get()
        while purse:
            purse.left, purse = 0, purse.taken_from
        after = f", to ask again after {retry_after:.0f} s" if retry_after else ""
        shared_budget.lower(retry_after=retry_after, reason=f"Mixpeek answered 429, too many requests{after}.")

    def told(self, limit: Limit) -> None:
        """Pass on what the server said, at most every other minute while it says the same."""
        now = time.monotonic()
        if limit.opens_in is None and limit == self._told and now - self._told_at < _SAID_AGAIN_AFTER:
            return
        self._told, self._told_at = limit, now
        shared_budget.hear(per_minute=limit.per_minute, opens_in=limit.opens_in)
