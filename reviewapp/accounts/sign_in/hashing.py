"""Passwords are hashed by few threads at a time: hashing is made to be slow, and pages must go on beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import PBKDF2PasswordHasher

# Of the eight threads of a web process half stay free for pages.
MOST_RUNNING = 2
MOST_WAITING = 2
_PATIENCE_SECONDS = 10.0
RETRY_AFTER = 5


class HashingIsBusy(Exception):
    """This process hashes and has waiting what it may: ask to come back in `RETRY_AFTER` seconds."""


class Slots:
    """Let so many threads run at a time, and so many others wait; refuse the rest at once."""

    def __init__(self, *, running: int, waiting: int) -> None:
        self._running = threading.BoundedSemaphore(running)
        self._admitted = threading.BoundedSemaphore(running + waiting)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Run with a slot; raises `HashingIsBusy` where none can be had."""
        if not self._admitted.acquire(blocking=False):
            raise HashingIsBusy
        try:
            if not self._running.acquire(timeout=_PATIENCE_SECONDS):
                raise HashingIsBusy
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()


_slots = Slots(running=MOST_RUNNING, waiting=MOST_WAITING)


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """Django's default hasher, bounded; to verify a password is to encode it, so both are."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash; raises `HashingIsBusy`."""
        with _slots.taken():
            return super().encode(password, salt, iterations)
