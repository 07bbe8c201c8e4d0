"""What an address or a field says: the numbers in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.web.http import parse_whole_number


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_it_reads_a_number(text: str, number: int) -> None:
    assert parse_whole_number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.0", " 1", "²", "٣", "9" * 19, "9" * 5000])
def test_it_reads_no_number_from_anything_else(text: str) -> None:
    assert parse_whole_number(text) is None


@given(st.text())
def test_it_reads_nothing_that_the_database_cannot_hold(text: str) -> None:
    assert 0 <= (parse_whole_number(text) or 0) < 2**63
