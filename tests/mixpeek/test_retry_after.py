"""How long a server asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.mixpeek.retry_after import MAX_RETRY_AFTER, retry_after
from tests.mixpeek.samples import NOW


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({}, {}, None),
        ({"retry-after": "120"}, {}, 120.0),
        ({"retry-after": "0"}, {"retry_after": 9}, 0.0),
        ({"retry-after": "1.5"}, {}, 1.5),
        ({"retry-after": "-3"}, {}, 0.0),
        ({"retry-after": "9" * 400}, {}, MAX_RETRY_AFTER),
        ({"retry-after": "inf"}, {}, MAX_RETRY_AFTER),
        ({"retry-after": "nan"}, {}, None),
        ({"retry-after": "soon"}, {"retry_after_seconds": 4, "retry_after": 5}, 4.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:02:00 GMT"}, {}, 120.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, {}, 0.0),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 12:02:00 GMT",
                "date": "Sat, 21 Nov 2026 12:01:50 GMT",
            },
            {},
            10.0,
        ),
        ({"retry-after": "Sat, 99 Nov 2026 12:02:00 GMT"}, {"retry_after": "8"}, 8.0),
        ({}, {"retry_after": True}, None),
        ({}, {"retry_after": {"seconds": 1}}, None),
    ],
)
def test_it_reads_seconds_dates_and_details(
    headers: dict[str, str], details: dict[str, Any], seconds: float | None
) -> None:
    assert retry_after(headers, details, now=NOW) == seconds


@given(seconds=st.integers(0, 80_000))
def test_it_reads_any_date_as_the_seconds_until_then(seconds: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after({"retry-after": header}, {}, now=NOW) == seconds


odd = st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.integers()))


@given(
    header=st.text(),
    date=st.text(),
    detail=odd,
    now=st.datetimes(
        timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)
    ),
)
def test_it_never_fails_and_never_leaves_its_bounds(
    header: str, date: str, detail: Any, now: datetime
) -> None:
    wait = retry_after({"retry-after": header, "date": date}, {"retry_after": detail}, now=now)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER
