"""Labels, tags and names have one form."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.naming import same_key, tidy, unwritable

SAME = [
    ("spam", "Spam"),
    ("spam", " spam\u00a0"),
    ("caf\u00e9", "cafe\u0301"),
    ("\uff52ed", "red"),
    ("ﬁne", "fine"),
    ("red  fox", "red fox"),
    ("sp\u200bam", "spam"),
    ("spam\u202e", "spam"),
    ("stra\u00dfe", "STRASSE"),
    ("soft\u00adhyphen", "softhyphen"),
]
REFUSED = ["a\tb", "a\nb", "a\u2028b", "a\u0085", "\u202eabc", "a\u2066b", "a\u200bb", "\ufeffa"]
WRITABLE = ["spam", "נקה \u200f", "क्\u200dष", "👩\u200d🔬", "red, green", "C++", "a/b"]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_it_takes_look_alikes_for_the_same(one: str, other: str) -> None:
    assert same_key(one) == same_key(other)
    assert same_key(one) != same_key(f"{other} 2")


@pytest.mark.parametrize("text", REFUSED)
def test_nobody_may_write_what_cannot_be_seen(text: str) -> None:
    assert unwritable(text)


@pytest.mark.parametrize("text", WRITABLE)
def test_people_may_write_any_script(text: str) -> None:
    assert unwritable(text) == ""


@given(st.text())
def test_it_has_one_form_only(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert same_key(same_key(text)) == same_key(text)
    assert same_key(unicodedata.normalize("NFD", text)) == same_key(text)
