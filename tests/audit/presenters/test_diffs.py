"""Differences as people read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest
from django.template import engines
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.audit.presenters.diffs import FieldDiff, Kind, field_diffs
from reviewapp.audit.presenters.text_diff import DiffPiece, equal_stretches, text_diff
from reviewapp.json_values import is_same_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
PROSE = (
    st.lists(st.sampled_from(["a", "the", "cat", "dog", "sat", "on", "\n"]), max_size=300).map(
        " ".join
    )
    | st.text()
)


@pytest.mark.parametrize(
    ("pair", "shown"),
    [
        (["cat", "dog"], ("cat", "dog")),
        ([None, "dog"], ("", "dog")),
        ([0.5, 0.75], ("0.5", "0.75")),
        ([0.1 + 0.2, 1e16], ("0.30000000000000004", "10000000000000000")),
        ([0.3, 0.1 + 0.2], ("0.3", "0.30000000000000004")),
        ([True, None], ("true", "")),
        ([["a", "b"], ["a"]], ("a, b", "a")),
        ([None, ""], ("null", '""')),
        ([1, "1"], ("1", '"1"')),
        ([1, True], ("1", "true")),
    ],
)
def test_it_shows_plain_values_plainly(pair: list[Any], shown: tuple[str, str]) -> None:
    assert field_diffs({"field": pair}) == (FieldDiff(name="field", old=shown[0], new=shown[1]),)


def test_it_takes_objects_apart_into_what_differs() -> None:
    old = {"codes": ["A", "B"], "same": 1, "deep": {"x": 1, "y": 2}, "gone": "soon"}
    new = {"codes": ["A"], "same": 1, "deep": {"x": 1, "y": 3}, "come": "just now"}
    assert [(diff.name, diff.old, diff.new) for diff in field_diffs({"payload": [old, new]})] == [
        ("payload.codes", "A, B", "A"),
        ("payload.come", "", "just now"),
        ("payload.deep.y", "2", "3"),
        ("payload.gone", "soon", ""),
    ]


def test_it_shows_what_it_cannot_take_apart_as_json() -> None:
    (diff,) = field_diffs({"stages": [[], [{"name": "search"}]]})
    assert (diff.kind, diff.old, diff.new) == (Kind.JSON, "", '[{"name": "search"}]')


def test_it_leaves_out_what_is_hidden_and_counts_what_is_too_much() -> None:
    assert field_diffs({"decision_id": [1, 2]}, hidden={"decision_id"}) == ()
    many = field_diffs({"payload": [{}, {str(n): n for n in range(100)}]})
    assert len(many) == 40
    assert many[-1].new == "and 61 more fields"


def test_it_marks_the_words_that_went_and_came() -> None:
    assert text_diff("the cat sat on the mat", "the dog sat on the mat") == [
        DiffPiece(sign="=", text="the "),
        DiffPiece(sign="-", text="cat "),
        DiffPiece(sign="+", text="dog "),
        DiffPiece(sign="=", text="sat on the mat"),
    ]


def test_it_does_not_mince_two_texts_that_have_little_in_common() -> None:
    assert [
        piece.sign for piece in text_diff("all is well here", "nothing of it remains as it was")
    ] == ["-", "+"]


def test_it_leaves_long_unchanged_stretches_out() -> None:
    words = " ".join(f"w{n}" for n in range(200))
    (diff,) = field_diffs({"reasoning": [f"{words} cat {words}", f"{words} dog {words}"]})
    assert diff.kind == Kind.WORDS
    assert [piece.sign for piece in diff.pieces] == ["=", ".", "=", "-", "+", "=", ".", "="]
    assert diff.pieces[1].text == "184 words"


@given(old=PROSE, new=PROSE)
def test_it_loses_no_character_of_either_text(old: str, new: str) -> None:
    pieces = text_diff(old, new)
    assert "".join(piece.text for piece in pieces if piece.sign in "=-") == old
    assert "".join(piece.text for piece in pieces if piece.sign in "=+") == new


@given(
    changes=st.dictionaries(st.text(max_size=8), JSON | st.tuples(JSON, JSON).map(list), max_size=5)
)
def test_it_reads_whatever_an_event_may_hold(changes: dict[str, Any]) -> None:
    for diff in field_diffs(changes):
        assert diff.old != diff.new
        assert all(isinstance(piece.text, str) for piece in diff.pieces)


@given(
    old=st.dictionaries(st.text(max_size=3), JSON), new=st.dictionaries(st.text(max_size=3), JSON)
)
def test_it_shows_a_difference_exactly_where_there_is_one(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert bool(field_diffs({"payload": [old, new]})) == (not is_same_json(old, new))


def test_it_takes_labels_apart_by_their_values() -> None:
    logo, van = {"value": "logo", "title": "Logo"}, {"value": "van", "title": "Van"}
    told = field_diffs(
        {"labels": [[logo, van], [van, {**logo, "title": "A logo"}, {"value": "bus", "title": ""}]]}
    )
    assert [(diff.name, diff.old, diff.new) for diff in told] == [
        ("labels.logo.title", "Logo", "A logo"),
        ("labels.bus.value", "", "bus"),
        ("labels (order)", "logo, van", "van, logo, bus"),
    ]
    assert [diff.new for diff in field_diffs({"labels": [None, [van]]})] == ["Van"]


@pytest.mark.parametrize(
    ("name", "pair", "told"),
    [
        ("is_active", [True, False], ("Sign-in", "allowed", "deactivated")),
        ("is_active", [None, True], ("Sign-in", "", "allowed")),
        ("is_superuser", [None, True], ("Superuser", "", "yes")),
        ("other_allowed", [True, False], ("Other labels", "allowed", "not allowed")),
        ("is_active", ["true", 1], ("Sign-in", "true", "1")),
        ("label", ["cat", "dog"], ("", "cat", "dog")),
    ],
)
def test_it_says_in_words_what_our_own_columns_hold(
    name: str, pair: list[Any], told: tuple[str, str, str]
) -> None:
    (diff,) = field_diffs({name: pair})
    assert (diff.title, diff.old, diff.new) == told


def test_it_leaves_what_others_call_so_as_they_said_it() -> None:
    told = field_diffs(
        {"payload": [{}, {"is_active": True, "used_at": "2026-11-22T07:38:45+00:00"}]}
    )
    assert [(diff.title, diff.new, diff.kind) for diff in told] == [
        ("", "true", Kind.VALUE),
        ("", "2026-11-22T07:38:45+00:00", Kind.VALUE),
    ]


DIFF_LIST = '{% from "audit/macros.html" import diff_list %}{{ diff_list(diffs) }}'


def shown(changes: dict[str, Any]) -> str:
    template = engines["jinja2"].from_string(DIFF_LIST)
    return " ".join(template.render({"diffs": field_diffs(changes)}).split())


def test_it_shows_times_as_the_site_does() -> None:
    changes = {"expires_at": ["2026-11-22T07:38:45.123+00:00", "2026-11-29T09:38:45+02:00"]}
    (diff,) = field_diffs(changes)
    assert (diff.kind, diff.title, diff.new_at) == (
        Kind.TIME,
        "Expires",
        datetime(2026, 11, 29, 7, 38, 45, tzinfo=UTC),
    )
    page = shown(changes)
    assert "<del" in page
    assert '<time datetime="2026-11-22T07:38:45.123000+00:00"' in page
    assert ">29 Nov 2026, 07:38 UTC</time></ins>" in page
    assert ">2026-11-22T" not in page


def test_it_shows_what_others_changed_before_a_delivery() -> None:
    (diff,) = field_diffs({"merged": [None, {"reasoning": ["A", "B"]}]})
    assert (diff.title, diff.old, diff.new) == ("reasoning, kept as changed at Mixpeek", "A", "B")


@pytest.mark.parametrize("odd", ["x", ["x"], {"reasoning": "x"}])
def test_it_shows_anything_that_stands_there_instead(odd: Any) -> None:
    (diff,) = field_diffs({"merged": [None, odd]})
    assert "x" in diff.new


@pytest.mark.parametrize(
    "odd", ["yesterday", "2026-11-22", "2026-11-22T07:38:45", 5, ["2026-11-22T07:38:45+00:00", 1]]
)
def test_it_shows_what_is_no_instant_as_it_is(odd: Any) -> None:
    (diff,) = field_diffs({"used_at": [None, odd]})
    assert diff.kind == Kind.VALUE
    assert diff.new in shown({"used_at": [None, odd]})


def test_it_shows_which_tags_went_and_came() -> None:
    changes = {"tags": [["a", "b", "c"], ["b", "d", "c"]]}
    (diff,) = field_diffs(changes)
    assert (diff.kind, diff.removed, diff.added) == (Kind.TAGS, ("a",), ("d",))
    page = shown(changes)
    assert '<ins class="tag diff-new" dir="auto">+ d</ins>' in page
    assert '<span class="visually-hidden">without </span>a</del>' in page
    assert ">b<" not in page


@pytest.mark.parametrize(
    "pair", [[["a", "b"], ["b", "a"]], [["a"], "a, b"], [["a"], [1]], [["a", "a"], ["a"]]]
)
def test_it_shows_two_lists_where_no_tag_went_or_came(pair: list[Any]) -> None:
    (diff,) = field_diffs({"tags": pair})
    assert diff.kind == Kind.VALUE
    assert diff.old != diff.new


def test_it_keeps_the_arrow_with_what_came() -> None:
    page = shown({"payload": [{"codes": ["A" * 50]}, {"codes": ["B" * 50]}]})
    assert (
        '<span class="diff-now"><span class="diff-arrow" aria-hidden="true">→</span> <ins class="diff-new"'
        in page
    )


def lines_run(function: Callable[[], object], *, most: int) -> int:
    """Return how many lines of Python a call runs; raise once there are more than `most`."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        if lines > most:
            raise AssertionError(f"more than {most:,} lines")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        function()
    finally:
        sys.settrace(before)
    return lines


def marked(mark: str, count: int, end: str = " ") -> str:
    return end.join(f"{number}{end}{mark}" for number in range(count))


WORDS_OF_65_KB = marked("!", 8_300), marked("?", 8_300)
DEEP = json.loads('{"a":' * 400 + "1" + "}" * 400)
HOSTILE = {
    "65 KB of alternating words": {"payload": [{"t": WORDS_OF_65_KB[0]}, {"t": WORDS_OF_65_KB[1]}]},
    "5 KB of alternating words": {"reasoning": [marked("!", 800), marked("?", 800)]},
    "alternating lines": {"text": [marked("!", 8_300, "\n"), marked("?", 8_300, "\n")]},
    "few alternating lines": {"text": [marked("!" * 50, 800, "\n"), marked("?" * 50, 800, "\n")]},
    "two words in any order": {"text": ["a b b a " * 2_000, "b a a b b " * 2_000]},
    "one word again and again": {"text": ["a " * 9_000, "a " * 4_000 + "b"]},
    "a megabyte of lines": {"text": ["a\n" * 500_000, "b\n" * 500_000]},
    "a megabyte of words, one changed": {
        "text": ["a " * 500_000 + "b " + "a " * 9, "a " * 500_000 + "c " + "a " * 9]
    },
    "many texts": {str(n): [marked("!", 300), marked("?", 300)] for n in range(200)},
    "many members": {
        "payload": [{str(n): n for n in range(20_000)}, {str(n): n + 1 for n in range(20_000)}]
    },
    "many objects": {
        "payload": [{str(n): {"a": [n]} for n in range(9_000)}, {str(n): {} for n in range(9_000)}]
    },
    "many lists": {"payload": [{"a": [[]] * 20_000}, {"a": [[]] * 20_001}]},
    "many numbers": {"payload": [{"a": [1] * 20_000}, {"a": [1.0] * 20_000 + [2]}]},
    "many tags": {"tags": [[f"a{n}" for n in range(5_000)], [f"b{n}" for n in range(5_000)]]},
    "many names": {
        "labels": [
            [{"value": str(n)} for n in range(5_000)],
            [{"value": f"b{n}"} for n in range(5_000)],
        ]
    },
    "nested without end": {"payload": [DEEP, {"a": DEEP}]},
    "a long key": {
        "payload": [{"k" * 60_000: {str(n): n for n in range(900)}}, {"k" * 60_000: {}}]
    },
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE.keys())
def test_it_does_bounded_work_for_a_row(changes: dict[str, Any]) -> None:
    def shown_pieces() -> None:
        for diff in field_diffs(changes):
            assert diff.old != diff.new
            assert diff.pieces or diff.kind != Kind.WORDS

    assert lines_run(shown_pieces, most=200_000)


def test_it_shows_texts_whole_that_would_take_too_long() -> None:
    old, new = WORDS_OF_65_KB
    assert text_diff(old, new) == [DiffPiece(sign="-", text=old), DiffPiece(sign="+", text=new)]


def test_it_compares_lines_where_words_would_take_too_long() -> None:
    lines = [f"line {number} " + "word " * 20 + "\n" for number in range(900)]
    changed = [*lines[:100], "another\n", *lines[100:800], *lines[810:], "last\n"]
    old, new = "".join(lines), "".join(changed)
    signs = [(piece.sign, piece.text.count("\n")) for piece in text_diff(old, new)]
    assert signs == [("=", 100), ("+", 1), ("=", 700), ("-", 10), ("=", 90), ("+", 1)]


@given(old=st.lists(st.integers(0, 3), max_size=30), new=st.lists(st.integers(0, 3), max_size=30))
def test_it_finds_a_shortest_edit(old: list[int], new: list[int]) -> None:
    found = equal_stretches(old, new, max_work=10**6)
    assert found is not None
    assert all(
        old[one.old : one.old + one.length] == new[one.new : one.new + one.length] for one in found
    )
    ends = [(0, 0), *((one.old + one.length, one.new + one.length) for one in found)]
    assert all(
        end[0] <= one.old and end[1] <= one.new for end, one in zip(ends[:-1], found, strict=True)
    )
    assert sum(one.length for one in found) == longest_in_common(old, new)


def longest_in_common(old: list[int], new: list[int]) -> int:
    """Return the length of the longest common subsequence, by the textbook's table."""
    row = [0] * (len(new) + 1)
    for left in old:
        above = row
        row = [0]
        for at, right in enumerate(new):
            row.append(above[at] + 1 if left == right else max(above[at + 1], row[at]))
    return row[-1]


def test_it_shows_the_beginning_of_what_no_page_can_hold() -> None:
    many = {f"field_{number:02}": [None, "x" * 500_000] for number in range(30)}
    (words,) = field_diffs({"text": ["a " * 500_000, "b " * 500_000]})
    (value,) = field_diffs({"text": [None, "x" * 500_000]})
    (tags,) = field_diffs({"tags": [[], ["t" * 500] * 1_000]})
    shown = [
        "".join(piece.text for piece in words.pieces),
        value.new_shown,
        tags.new_shown,
        "".join(diff.new_shown for diff in field_diffs(many)),
    ]
    assert max(map(len, shown)) < 25_000
    assert value.new_shown.endswith("… and 490,000 more characters")
    assert tags.added == ()


def test_it_names_a_long_key_in_short() -> None:
    (diff,) = field_diffs({"payload": [{"k" * 60_000: 1}, {"k" * 60_000: 2}]})
    assert diff.name == f"payload.{'k' * 100}…"


def test_it_sees_no_difference_in_how_a_number_is_spelled() -> None:
    spelled_by_jsonb = json.loads("100000000000000000000000")
    assert field_diffs({"payload": [{"n": 1e23, "m": 1}, {"n": spelled_by_jsonb, "m": 1.0}]}) == ()


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (1234567.89, 1234567.8901, ("1234567.89", "1234567.8901")),
        (48.8583736, 48.8583737, ("48.8583736", "48.8583737")),
        (0.12345678901, 0.12345678902, ("0.12345678901", "0.12345678902")),
        (1e-07, 0.1 + 0.2, ("1e-07", "0.30000000000000004")),
        ([0.12345678901], [0.12345678902], ("0.12345678901", "0.12345678902")),
    ],
)
def test_it_shows_numbers_to_their_last_digit(old: Any, new: Any, shown: tuple[str, str]) -> None:
    for changes in ({"n": [old, new]}, {"payload": [{"n": old}, {"n": new}]}):
        [diff] = field_diffs(changes)
        assert (diff.old, diff.new) == shown
