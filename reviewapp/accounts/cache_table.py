"""The table of what web processes remember together, such as failed sign-ins."""

from __future__ import annotations

from django.core.management import call_command


def make_cache_table(*, using: str, **_: object) -> None:
    """Make the cache's table unless it is there; run after each migrate, since no migration of Django makes it."""
    call_command("createcachetable", database=using, verbosity=0)
