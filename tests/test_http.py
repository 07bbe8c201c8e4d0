"""What an address says: the keys in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.http import key_in


@pytest.mark.parametrize(("text", "key"), [("7", 7), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_it_reads_a_key(text: str, key: int) -> None:
    assert key_in(text) == key


@pytest.mark.parametrize("text", ["", "-1", "1.0", " 1", "²", "٣", "9" * 19, "9" * 5000])
def test_it_reads_no_key_from_anything_else(text: str) -> None:
    assert key_in(text) is None


@given(st.text())
def test_it_reads_nothing_that_the_database_cannot_hold(text: str) -> None:
    assert 0 <= (key_in(text) or 0) < 2**63
