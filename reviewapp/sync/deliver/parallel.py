"""Work on a few things at the same time: while Mixpeek thinks about one, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from django.db import connection, connections

from reviewapp.mixpeek.exceptions import MixpeekError

T = TypeVar("T")
R = TypeVar("R")
# Two cores are kept busy by this many; a worker takes no more of Mixpeek's attention at a time.
_ABREAST = 4


def each(things: Sequence[T], work: Callable[[T], R]) -> Iterator[tuple[T, R | MixpeekError]]:
    """Yield each thing with what came of it, as it is done; begin with no more of them when one met a `MixpeekError`.

    In threads, whose connections to the database are closed after each thing; inside a transaction, which no thread
    could see into, one after the other.
    """
    if len(things) == 1 or connection.in_atomic_block:
        yield from _in_turn(things, work)
        return
    left, stopped = list(reversed(things)), False
    with ThreadPoolExecutor(_ABREAST, thread_name_prefix="abreast") as pool:
        under_way: dict[Future[R | MixpeekError], T] = {}
        while under_way or (left and not stopped):
            while left and not stopped and len(under_way) < _ABREAST:
                thing = left.pop()
                under_way[pool.submit(copy_context().run, _alone, work, thing)] = thing
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                came = future.result()
                stopped = stopped or isinstance(came, MixpeekError)
                yield under_way.pop(future), came


def _in_turn(things: Sequence[T], work: Callable[[T], R]) -> Iterator[tuple[T, R | MixpeekError]]:
    for thing in things:
        came = _tried(work, thing)
        yield thing, came
        if isinstance(came, MixpeekError):
            return


def _alone(work: Callable[[T], R], thing: T) -> R | MixpeekError:
    try:
        return _tried(work, thing)
    finally:
        for one in connections.all(initialized_only=True):
            one.close()


def _tried(work: Callable[[T], R], thing: T) -> R | MixpeekError:
    try:
        return work(thing)
    except MixpeekError as error:
        return error
