"""Text of others on one line of a log or a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.printable import printable


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("Über 日本 😀", "Über 日本 😀"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x85 \x9b \u2028 \u2029", "\\x85 \\x9b \\u2028 \\u2029"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\x00\x7f\t", "\\x00\\x7f\\t"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_it_makes_visible_what_is_not(text: str, line: str) -> None:
    assert printable(text) == line


@given(st.text())
def test_it_is_always_one_line_that_drives_nothing(text: str) -> None:
    line = printable(text)
    assert len(line.splitlines()) <= 1
    assert not {unicodedata.category(character) for character in line} & {"Cc", "Cf", "Zl", "Zp"}
