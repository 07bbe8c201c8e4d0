"""The table of the cache that web processes share, for example for failed sign-ins."""

from __future__ import annotations

from django.core.management import call_command


def create_cache_table(*, using: str, **_: object) -> None:
    """Create the cache's table if it is missing, after each migrate: no migration does."""
    call_command("createcachetable", database=using, verbosity=0)
