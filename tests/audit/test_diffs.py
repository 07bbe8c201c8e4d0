"""Differences as people read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.audit.diffs import FieldDiff, Kind, Piece, field_diffs, word_diff

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
PROSE = st.lists(st.sampled_from(["a", "the", "cat", "dog", "sat", "on", "\n"]), max_size=300).map(" ".join) | st.text()


@pytest.mark.parametrize(
    ("pair", "shown"),
    [
        (["cat", "dog"], ("cat", "dog")),
        ([None, "dog"], ("", "dog")),
        ([0.5, 0.75], ("0.5", "0.75")),
        ([0.1 + 0.2, 1e300], ("0.3", "1e+300")),
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
    assert word_diff("the cat sat on the mat", "the dog sat on the mat") == [
        Piece(sign="=", text="the "),
        Piece(sign="-", text="cat "),
        Piece(sign="+", text="dog "),
        Piece(sign="=", text="sat on the mat"),
    ]


def test_it_does_not_mince_two_texts_that_have_little_in_common() -> None:
    assert [piece.sign for piece in word_diff("all is well here", "nothing of it remains as it was")] == ["-", "+"]


def test_it_leaves_long_unchanged_stretches_out() -> None:
    words = " ".join(f"w{n}" for n in range(200))
    (diff,) = field_diffs({"reasoning": [f"{words} cat {words}", f"{words} dog {words}"]})
    assert diff.kind == Kind.WORDS
    assert [piece.sign for piece in diff.pieces] == ["=", ".", "=", "-", "+", "=", ".", "="]
    assert diff.pieces[1].text == "184 words"


@given(old=PROSE, new=PROSE)
def test_it_loses_no_character_of_either_text(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(piece.text for piece in pieces if piece.sign in "=-") == old
    assert "".join(piece.text for piece in pieces if piece.sign in "=+") == new


@given(changes=st.dictionaries(st.text(max_size=8), JSON | st.tuples(JSON, JSON).map(list), max_size=5))
def test_it_reads_whatever_an_event_may_hold(changes: dict[str, Any]) -> None:
    for diff in field_diffs(changes):
        assert diff.old != diff.new
        assert all(isinstance(piece.text, str) for piece in diff.pieces)


@given(old=st.dictionaries(st.text(max_size=3), JSON), new=st.dictionaries(st.text(max_size=3), JSON))
def test_it_shows_a_difference_exactly_where_there_is_one(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert bool(field_diffs({"payload": [old, new]})) == (
        json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True)
    )


def test_it_takes_labels_apart_by_their_values() -> None:
    logo, van = {"value": "logo", "title": "Logo"}, {"value": "van", "title": "Van"}
    told = field_diffs({"labels": [[logo, van], [van, {**logo, "title": "A logo"}, {"value": "bus", "title": ""}]]})
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
def test_it_says_in_words_what_our_own_columns_hold(name: str, pair: list[Any], told: tuple[str, str, str]) -> None:
    (diff,) = field_diffs({name: pair})
    assert (diff.title, diff.old, diff.new) == told


def test_it_leaves_what_others_call_so_as_they_said_it() -> None:
    told = field_diffs({"payload": [{}, {"is_active": True, "used_at": "2026-11-22T07:38:45+00:00"}]})
    assert [(diff.title, diff.new, diff.kind) for diff in told] == [
        ("", "true", Kind.VALUE),
        ("", "2026-11-22T07:38:45+00:00", Kind.VALUE),
    ]


def shown(changes: dict[str, Any]) -> str:
    return " ".join(render_to_string("audit/_diff_list.html", {"diffs": field_diffs(changes)}).split())


def test_it_shows_times_as_the_site_does() -> None:
    changes = {"expires_at": ["2026-11-22T07:38:45.123+00:00", "2026-11-29T09:38:45+02:00"]}
    (diff,) = field_diffs(changes)
    assert (diff.kind, diff.title, diff.new_at) == (
        Kind.TIME,
        "Runs out",
        datetime(2026, 11, 29, 7, 38, 45, tzinfo=UTC),
    )
    page = shown(changes)
    assert "<del" in page
    assert '<time datetime="2026-11-22T07:38:45.123000+00:00"' in page
    assert ">29 Nov 2026, 07:38 UTC</time></ins>" in page
    assert ">2026-11-22T" not in page


@pytest.mark.parametrize("odd", ["yesterday", "2026-11-22", "2026-11-22T07:38:45", 5, ["2026-11-22T07:38:45+00:00", 1]])
def test_it_shows_what_is_no_instant_as_it_is(odd: Any) -> None:
    (diff,) = field_diffs({"used_at": [None, odd]})
    assert diff.kind == Kind.VALUE
    assert diff.new in shown({"used_at": [None, odd]})


def test_it_shows_which_tags_went_and_came() -> None:
    changes = {"tags": [["a", "b", "c"], ["b", "d", "c"]]}
    (diff,) = field_diffs(changes)
    assert (diff.kind, diff.gone, diff.come) == (Kind.TAGS, ("a",), ("d",))
    page = shown(changes)
    assert '<ins class="tag diff-new" dir="auto">+ d</ins>' in page
    assert '<span class="visually-hidden">without </span>a</del>' in page
    assert ">b<" not in page


@pytest.mark.parametrize("pair", [[["a", "b"], ["b", "a"]], [["a"], "a, b"], [["a"], [1]], [["a", "a"], ["a"]]])
def test_it_shows_two_lists_where_no_tag_went_or_came(pair: list[Any]) -> None:
    (diff,) = field_diffs({"tags": pair})
    assert diff.kind == Kind.VALUE
    assert diff.old != diff.new


def test_it_keeps_the_arrow_with_what_came() -> None:
    page = shown({"payload": [{"codes": ["A" * 50]}, {"codes": ["B" * 50]}]})
    assert '<span class="diff-now"><span class="diff-arrow" aria-hidden="true">→</span> <ins class="diff-new"' in page
