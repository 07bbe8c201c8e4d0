"""What servers say about their limits, in headers that may be missing or odd."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.mixpeek.rate_hooks import Limit, parse_limit

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = [f"x-ratelimit-{name}" for name in ("limit", "remaining", "reset", "window")]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, None),
        ({"x-ratelimit-limit": "60"}, Limit(per_minute=60)),
        ({"x-ratelimit-limit": "10", "x-ratelimit-window": "1"}, Limit(per_minute=600)),
        ({"x-ratelimit-limit": "3600", "x-ratelimit-window": "3600"}, Limit(per_minute=60)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12.5"}, Limit(opens_in=12.5)),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "12.5"}, None),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW.timestamp() + 7)},
            Limit(opens_in=7.0),
        ),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW.timestamp() - 7)},
            Limit(opens_in=0.0),
        ),
        ({"x-ratelimit-limit": "many", "x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-limit": "0"}, None),
        ({"x-ratelimit-limit": "nan", "x-ratelimit-window": "-1"}, None),
    ],
)
def test_it_understands_what_is_said(headers: dict[str, str], said: Limit | None) -> None:
    assert parse_limit(headers, now=NOW) == said


@given(
    headers=st.dictionaries(
        st.sampled_from(NAMES), st.text() | st.floats().map(str) | st.integers().map(str)
    )
)
def test_it_makes_sense_of_anything(headers: dict[str, str]) -> None:
    limit = parse_limit(headers, now=NOW)
    assert limit is None or limit.opens_in is None or 0 <= limit.opens_in <= 86_400
