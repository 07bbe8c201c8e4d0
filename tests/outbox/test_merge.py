"""Base, mine and theirs: nobody's words are lost, whatever the three hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.json_values import is_same_json
from reviewapp.outbox.merge import judge, three_way

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 0.5, 1.0])
    | st.text("ab", max_size=2)
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2)
    ),
)
NAMES = ["label", "confidence", "reasoning", "payload"]
sides = st.fixed_dictionaries(dict.fromkeys(NAMES, json_values))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (0, False, False),
        (None, "", False),
        ([1, [2]], [1, [2]], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": True}, False),
        ({"a": None}, {}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_it_compares_as_json_does(one: Any, other: Any, equal: bool) -> None:
    assert is_same_json(one, other) is equal
    assert is_same_json(other, one) is equal


@given(base=sides, mine=sides, theirs=sides)
def test_it_merges_without_losing_a_side(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    merge = three_way(base=base, mine=mine, theirs=theirs)
    for name in NAMES:
        i_moved, they_moved = (
            not is_same_json(mine[name], base[name]),
            not is_same_json(theirs[name], base[name]),
        )
        agreed = is_same_json(mine[name], theirs[name])
        assert (name in merge.conflicts) == (i_moved and they_moved and not agreed)
        assert (name in merge.theirs_only) == (they_moved and not i_moved)
        assert (name in merge.mine_only) == (i_moved and not they_moved)
        assert is_same_json(merge.values[name], mine[name] if i_moved else theirs[name])


@given(base=sides, mine=sides)
def test_it_keeps_mine_when_nobody_else_moved(base: dict[str, Any], mine: dict[str, Any]) -> None:
    merge = three_way(base=base, mine=mine, theirs=base)
    assert is_same_json(merge.values, mine)
    assert not merge.conflicts
    assert not merge.theirs_only


def test_it_calls_a_confirmed_label_a_conflict_when_another_was_set_meanwhile() -> None:
    base, theirs = {"label": "logo"}, {"label": "no logo"}
    assert three_way(base=base, mine=base, theirs=theirs).conflicts == ()
    assert three_way(base=base, mine=base, theirs=theirs, asserted={"label"}).conflicts == (
        "label",
    )
    assert three_way(base=base, mine=theirs, theirs=theirs, asserted={"label"}).conflicts == ()


@given(base=sides, mine=sides, theirs=sides)
def test_it_sends_only_what_overwrites_nobody(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    fields = {name: value for name, value in mine.items() if not is_same_json(value, base[name])}
    judgement = judge(fields=fields, base=base, theirs=theirs)
    for name in judgement.send:
        assert not is_same_json(theirs[name], fields[name])
        assert (name in judgement.conflicts) == (not is_same_json(theirs[name], base[name]))
    for name in set(fields) - set(judgement.send):
        assert is_same_json(theirs[name], fields[name])
    assert all(
        name not in fields and not is_same_json(base[name], theirs[name])
        for name in judgement.merged
    )


@given(base=sides, mine=sides)
def test_it_has_nothing_to_send_a_second_time(base: dict[str, Any], mine: dict[str, Any]) -> None:
    judgement = judge(fields=mine, base=base, theirs=mine)
    assert judgement.send == {}
    assert judgement.conflicts == ()
