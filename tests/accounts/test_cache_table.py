"""What web processes remember together: not to be flushed away by whoever makes them remember much."""

from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.mark.django_db
def test_it_forgets_no_count_because_a_guesser_tries_many_accounts() -> None:
    cache.set("counted", 5)
    cache.set_many({f"guess-{number}": 1 for number in range(320)})
    assert cache.get("counted") == 5
