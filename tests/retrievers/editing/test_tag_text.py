"""Several tags in one field, of which some hold commas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.naming import same_key, tidy, unwritable
from reviewapp.retrievers.editing.tag_text import join_tags, split_tags

WRITABLE = st.text(min_size=1, max_size=8).filter(
    lambda text: bool(same_key(text)) and not unwritable(text) and tidy(text) == text
)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("red, green", ("red", "green")),
        (" red ,, green\n blue", ("red", "green", "blue")),
        ('"red, green", blue', ("red, green", "blue")),
        ('blue, "red, green"', ("blue", "red, green")),
        ('"say ""hi"", you"', ('say "hi", you',)),
        ('"open, end', ('"open', "end")),
        ('5" screen, a', ('5" screen', "a")),
        ("cafe\u0301, caf\u00e9", ("caf\u00e9",)),
        ("", ()),
        (" , ", ()),
    ],
)
def test_it_separates_tags(text: str, tags: tuple[str, ...]) -> None:
    assert split_tags([text]) == tags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("red, green", ("red, green",)),
        ("Red,  Green", ("red, green",)),
        ("blue, red, green, x", ("blue", "red, green", "x")),
        ("green, red", ("green", "red")),
        ("red", ("red",)),
        ("a, b, c", ("a, b, c",)),
        ("a, b", ("a, b",)),
    ],
)
def test_it_knows_tags_with_commas(text: str, tags: tuple[str, ...]) -> None:
    assert split_tags([text], ["red, green", "red", "a, b, c", "a, b"]) == tags


@given(st.lists(WRITABLE, unique=True, max_size=5))
def test_it_reads_what_it_wrote(tags: list[str]) -> None:
    assert split_tags([join_tags(tags)]) == tuple(tags)
