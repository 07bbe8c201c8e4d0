"""Changes behind a withdrawn one keep their values and get the base from before it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reviewapp.outbox.merge import judge
from reviewapp.outbox.models import Change
from reviewapp.outbox.rebase import rebase_following

NAMES = ("label", "confidence", "reasoning")
_value = st.sampled_from(["a", "b", "c"])
_fields = st.dictionaries(st.sampled_from(NAMES), _value, min_size=1)
Values = dict[str, Any]


def chain(there: Values, wishes: list[Values]) -> list[Change]:
    """Return changes as decisions make them: each based on the ones before it."""
    changes, now = [], dict(there)
    for wish in wishes:
        fields = {name: value for name, value in wish.items() if value != now[name]}
        changes.append(Change(fields=fields, base=dict(now)))
        now |= fields
    return [change for change in changes if change.fields]


def delivered(there: Values, changes: list[Change]) -> tuple[Values, list[str]]:
    """Return what is there after delivering, and the fields that met a conflict."""
    met: list[str] = []
    for change in changes:
        judgement = judge(fields=change.fields, base=change.base, theirs=there)
        met += judgement.conflicts
        there = there if judgement.conflicts else there | judgement.send
    return there, met


@given(
    there=st.fixed_dictionaries(dict.fromkeys(NAMES, _value)),
    wishes=st.lists(_fields, max_size=5),
    data=st.data(),
)
def test_it_makes_no_conflict_of_what_never_was_sent(
    there: Values, wishes: list[Values], data: st.DataObject
) -> None:
    changes = chain(there, wishes)
    wanted = dict(there)
    for _ in range(data.draw(st.integers(0, len(changes)))):
        index = data.draw(st.integers(0, len(changes) - 1))
        gone = changes.pop(index)
        list(rebase_following(gone, changes[index:]))
    for change in changes:
        wanted |= change.fields
    assert delivered(there, changes) == (wanted, [])


def test_it_hands_a_create_on_with_all_that_its_person_saw() -> None:
    blank = {"label": "", "confidence": None, "reasoning": ""}
    gone = Change(
        verb=Change.Verb.CREATE,
        base=blank,
        fields={"label": "a", "confidence": None, "reasoning": ""},
    )
    first = Change(
        base={"label": "a", "confidence": None, "reasoning": ""}, fields={"confidence": 0.9}
    )
    second = Change(base={"label": "a", "confidence": 0.9, "reasoning": ""}, fields={"label": "b"})
    assert list(rebase_following(gone, [first, second])) == [first]
    assert (first.verb, first.base, first.fields) == (
        "create",
        blank,
        {"label": "a", "confidence": 0.9, "reasoning": ""},
    )
    assert (second.verb, second.base["label"]) == ("set", "a")


def test_it_makes_no_create_of_cannot_tell() -> None:
    gone = Change(verb=Change.Verb.CREATE, base={"label": ""}, fields={"label": "a"})
    cannot_tell = Change(verb=Change.Verb.CANNOT_TELL, fields={"outcome": "cannot_tell"})
    label = Change(base={"label": "a"}, fields={"label": "b"})
    assert list(rebase_following(gone, [cannot_tell, label])) == [label]
    assert (cannot_tell.verb, label.verb) == ("cannot_tell", "create")


def test_it_leaves_alone_what_has_nothing_to_do_with_it() -> None:
    gone = Change(base={"label": "a", "confidence": 1}, fields={"label": "b"})
    other = Change(base={"label": "x", "confidence": 1}, fields={"confidence": 2})
    assert list(rebase_following(gone, [other])) == []
