"""Caches of one process with a maximum size in bytes, whatever others send.

    @bounded_cache(most_bytes=4 * MIB)
    def rendered(text: str) -> SafeString: ...

The size of a value and its key is measured when they are stored. A cache has two halves: an entry
that is used moves into the younger one; when that is full, the older one is dropped and the younger
one takes its place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import update_wrapper
from threading import Lock
from time import monotonic
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
V = TypeVar("V")

MIB = 1024 * 1024
# What an entry costs besides its key and value.
_ENTRY = 400
# Tuples, because a union in a call of isinstance is built anew each time.
_TEXT = (str, bytes)
_SEQUENCE = (list, tuple, set, frozenset)
_SMALL = {bool, int, float, datetime, type(None)}
_SMALL_BYTES = 48
_OBJECT_BYTES = 400
_FOR_EVER = float("inf")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    size: int
    until: float


class BoundedCache(Generic[V]):
    """Values by key, at most `most_bytes` of them; the least recently used are dropped first.

    None cannot be a value.
    """

    def __init__(self, *, most_bytes: int, clock: Callable[[], float] = monotonic) -> None:
        self.most_bytes = most_bytes
        self._clock = clock
        self._changing = Lock()
        self._young: dict[Hashable, _Entry[V]] = {}
        self._old: dict[Hashable, _Entry[V]] = {}
        self._young_bytes = 0
        self._old_bytes = 0

    @property
    def bytes(self) -> int:
        """The size of all entries in bytes."""
        return self._young_bytes + self._old_bytes

    def get(self, key: Hashable) -> V | None:
        """Return the value of `key`, None if there is none or it has expired."""
        entry = self._young.get(key)

        if entry is None:
            entry = self._old.get(key)
            if entry is None:
                return None
            self._put(key, entry)

        if entry.until <= self._clock():
            return None
        return entry.value

    def set(
        self,
        key: Hashable,
        value: V,
        *,
        size: int | None = None,
        seconds: float = _FOR_EVER,
    ) -> None:
        """Store a value for so many seconds; `size` is its size in bytes, if known.

        A value larger than an eighth of the cache is not stored.
        """
        if size is None:
            size = weight((key, value))
        entry = _Entry(value=value, size=size + _ENTRY, until=self._clock() + seconds)
        if entry.size <= self.most_bytes // 8:
            self._put(key, entry)

    def delete(self, key: Hashable) -> None:
        """Delete the value of `key`, if there is one."""
        with self._changing:
            young = self._young.pop(key, None)
            if young is not None:
                self._young_bytes -= young.size
            old = self._old.pop(key, None)
            if old is not None:
                self._old_bytes -= old.size

    def clear(self) -> None:
        """Delete all entries."""
        with self._changing:
            self._young = {}
            self._young_bytes = 0
            self._old = {}
            self._old_bytes = 0

    def _put(self, key: Hashable, entry: _Entry[V]) -> None:
        with self._changing:
            replaced = self._young.pop(key, None)
            if replaced is not None:
                self._young_bytes -= replaced.size

            if self._young_bytes + entry.size > self.most_bytes // 2:
                self._old = self._young
                self._old_bytes = self._young_bytes
                self._young = {}
                self._young_bytes = 0

            self._young[key] = entry
            self._young_bytes += entry.size


def bounded_cache(
    *,
    most_bytes: int,
    size: Callable[[Any], int] | None = None,
) -> Callable[[Callable[P, V]], Callable[P, V]]:
    """Cache the return values of a function, within `most_bytes` in this process.

    The arguments must be hashable. `size` returns the size of a result and its key where measuring
    them would be wrong or slow.
    """

    def decorate(function: Callable[P, V]) -> Callable[P, V]:
        cache: BoundedCache[V] = BoundedCache(most_bytes=most_bytes)

        def cached(*args: P.args, **kwargs: P.kwargs) -> V:
            key: Hashable = args
            if kwargs:
                key = (args, *kwargs.items())

            value = cache.get(key)
            if value is None:
                value = function(*args, **kwargs)
                value_size = None
                if size is not None:
                    value_size = size(value)
                cache.set(key, value, size=value_size)
            return value

        return update_wrapper(cached, function)

    return decorate


def weight(value: object) -> int:
    """Return the approximate size in bytes of a plain value.

    Counts texts, numbers, containers and dataclasses, each object once.
    """
    total = 0
    seen: set[int] = set()
    waiting: list[Any] = [value]

    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind in _SMALL:
            total += _SMALL_BYTES
            continue

        if id(part) in seen:
            continue
        seen.add(id(part))

        if isinstance(part, _TEXT):
            total += sys.getsizeof(part)
        elif isinstance(part, dict):
            total += sys.getsizeof(part)
            waiting.extend(part)
            waiting.extend(part.values())
        elif isinstance(part, _SEQUENCE):
            total += sys.getsizeof(part)
            waiting.extend(part)
        elif not isinstance(part, type) and not callable(part):
            total += _OBJECT_BYTES
            waiting.extend(getattr(part, "__dict__", {}).values())

    return total
