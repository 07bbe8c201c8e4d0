"""Places of which only so many may be taken at once, whichever processes take them.

They are locks of the connection: all processes see them, and they end with a process that dies. A
connection that takes a place of a name again gets it again, so a thread takes one at a time.
"""

from __future__ import annotations

from contextlib import suppress

from django.db import InterfaceError, OperationalError

from reviewapp.postgres.statement import Statement

_ACQUIRE = Statement(
    "SELECT slot FROM generate_series(1, %(most)s::int) slot"
    " WHERE pg_try_advisory_lock(hashtextextended(%(name)s::text || slot, 0)) LIMIT 1",
    int,
)
_RELEASE = Statement(
    "SELECT pg_advisory_unlock(hashtextextended(%(name)s::text || %(slot)s::int, 0))", bool
)


def acquire_slot(name: str, *, most: int) -> int | None:
    """Take one of the `most` places of this name; returns its number, None if all are taken."""
    return _ACQUIRE.first(name=name, most=most)


def release_slot(name: str, slot: int) -> None:
    """Give a place back. A connection that was lost has given its places back already."""
    with suppress(OperationalError, InterfaceError):
        _RELEASE.rows(name=name, slot=slot)
