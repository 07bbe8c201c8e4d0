"""The priority of the changes being enqueued: interactive by default, or bulk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank

_rank: ContextVar[Rank] = ContextVar("reviewapp_rank", default=Rank.INTERACTIVE)


def rank_of(verb: str) -> Rank:
    """Return the rank of a change enqueued now; a confirmation ranks behind a change of values."""
    if verb == Change.Verb.CONFIRM:
        return Rank.BULK
    return _rank.get()


@contextmanager
def bulk_priority() -> Iterator[None]:
    """Enqueue changes inside with bulk priority: delivered after what people do one by one."""
    token = _rank.set(Rank.BULK)
    try:
        yield
    finally:
        _rank.reset(token)
