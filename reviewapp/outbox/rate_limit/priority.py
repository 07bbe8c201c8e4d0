"""How urgent what is being promised is: a person waits for it, or it is one of many made at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank

_rank: ContextVar[Rank] = ContextVar("reviewapp_rank", default=Rank.INTERACTIVE)


def rank_of(verb: str) -> Rank:
    """Return the rank of a change that is enqueued now; a confirmation waits behind what changes a value."""
    if verb == Change.Verb.CONFIRM:
        return Rank.BULK
    return _rank.get()


@contextmanager
def in_bulk() -> Iterator[None]:
    """Let what is promised inside go after what people do one by one."""
    before = _rank.set(Rank.BULK)
    try:
        yield
    finally:
        _rank.reset(before)
