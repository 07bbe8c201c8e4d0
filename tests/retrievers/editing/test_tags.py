"""Tags are added and removed, never set, so two people's edits both hold in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reviewapp.retrievers.editing import tags

TAGS = st.lists(st.sampled_from("abcdef"), unique=True)
ANY_TAGS = st.lists(st.sampled_from("abcdef"))


@st.composite
def changes(draw: st.DrawFn) -> dict[str, list[str]]:
    add = draw(TAGS)
    return {"add": add, "remove": [tag for tag in draw(TAGS) if tag not in add]}


@given(ANY_TAGS, changes())
def test_it_holds_what_was_added_and_nothing_that_was_removed(
    now: list[str], change: dict[str, list[str]]
) -> None:
    merged = tags.apply_tag_delta(now, change)
    assert set(change["add"]) <= set(merged)
    assert not set(change["remove"]) & set(merged)


@given(ANY_TAGS, changes())
def test_it_leaves_every_other_tag_where_it_was(
    now: list[str], change: dict[str, list[str]]
) -> None:
    touched = {*change["add"], *change["remove"]}
    merged = tags.apply_tag_delta(now, change)
    assert [tag for tag in merged if tag not in touched] == [
        tag for tag in now if tag not in touched
    ]


@given(ANY_TAGS, changes())
def test_it_makes_no_difference_the_second_time(
    now: list[str], change: dict[str, list[str]]
) -> None:
    once = tags.apply_tag_delta(now, change)
    assert tags.apply_tag_delta(once, change) == once


@given(TAGS, changes(), changes())
def test_it_takes_two_peoples_edits_in_any_order(now: list[str], one: Any, other: Any) -> None:
    against = {*one["add"]} & {*other["remove"]} or {*one["remove"]} & {*other["add"]}
    if not against:
        assert set(tags.apply_tag_delta(tags.apply_tag_delta(now, one), other)) == set(
            tags.apply_tag_delta(tags.apply_tag_delta(now, other), one)
        )


@given(TAGS, TAGS, TAGS)
def test_it_keeps_only_what_makes_a_difference(
    now: list[str], add: list[str], remove: list[str]
) -> None:
    delta = tags.tag_delta(now, add=add, remove=remove)
    both = set(add) & set(remove)
    assert bool(delta) == (tags.apply_tag_delta(now, delta or {"add": [], "remove": []}) != now)
    if delta:
        assert set(tags.apply_tag_delta(now, delta)) == (set(now) | (set(add) - both)) - (
            set(remove) - both
        )


@given(TAGS, TAGS)
def test_it_leads_from_one_list_to_another(was: list[str], now: list[str]) -> None:
    assert set(tags.apply_tag_delta(was, tags.tag_delta_between(was, now))) == set(now)
