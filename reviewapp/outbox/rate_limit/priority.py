"""The priority of the changes being enqueued: interactive by default, or bulk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank

_CHANGE_NO_VALUE = frozenset({Change.Verb.CONFIRM, Change.Verb.CANNOT_TELL, Change.Verb.REVERT})
_rank: ContextVar[Rank] = ContextVar("reviewapp_rank", default=Rank.INTERACTIVE)


def rank_of(verb: str) -> Rank:
    """Return the rank of a change enqueued now; one that changes no value ranks behind others."""
    if verb in _CHANGE_NO_VALUE:
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
