"""Limit how many threads hash passwords at once: hashing is slow, and must not block all pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import PBKDF2PasswordHasher

# Half of the eight threads of a web process stay free for pages.
MAX_RUNNING = 2
MAX_WAITING = 2
_MAX_WAIT_SECONDS = 10.0
# In seconds.
RETRY_AFTER = 5


class HashingIsBusy(Exception):
    """No hashing slot is free: the client should try again in `RETRY_AFTER` seconds."""


class Slots:
    """Let `running` threads run at once and `waiting` others wait; reject the rest at once."""

    def __init__(self, *, running: int, waiting: int) -> None:
        self._running = threading.BoundedSemaphore(running)
        self._admitted = threading.BoundedSemaphore(running + waiting)

    @contextmanager
    def acquired(self) -> Iterator[None]:
        """Hold a slot; raises `HashingIsBusy` if none is free."""
        if not self._admitted.acquire(blocking=False):
            raise HashingIsBusy
        try:
            if not self._running.acquire(timeout=_MAX_WAIT_SECONDS):
                raise HashingIsBusy
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()


_slots = Slots(running=MAX_RUNNING, waiting=MAX_WAITING)


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """Django's default hasher, limited; to verify a password also calls `encode`."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash; raises `HashingIsBusy`."""
        with _slots.acquired():
            return super().encode(password, salt, iterations)
