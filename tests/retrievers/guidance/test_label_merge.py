"""Two edits of one label set: what one side alone changed is never lost, what both did is asked. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.retrievers.conflict_choice import MINE, THEIRS
from reviewapp.retrievers.guidance.label_merge import (
    FIELDS,
    ORDER,
    PRESENCE,
    Merged,
    Offer,
    Question,
    answered,
    is_open,
    merge,
)
from reviewapp.retrievers.guidance.labels import Label

LABELS = st.builds(
    Label,
    value=st.sampled_from("abcdef"),
    title=st.sampled_from(["", "A", "B"]),
    description=st.sampled_from(["", "x"]),
    colour=st.sampled_from(["none", "red"]),
)
OFFERS = st.builds(
    Offer,
    labels=st.lists(LABELS, unique_by=lambda label: label.value, max_size=5).map(tuple),
    other_allowed=st.booleans(),
).map(Offer.whole)
A, B, C = (Label(value=value) for value in "abc")


def offer(*labels: Label, other_allowed: bool = True) -> Offer:
    return Offer(labels=labels, other_allowed=other_allowed)


def values(held: Offer) -> str:
    return "".join(held.by_value())


def together(base: Offer, mine: Offer, theirs: Offer) -> Merged:
    return merge(base=base, mine=mine, theirs=theirs)


@given(OFFERS, OFFERS)
def test_it_takes_the_only_edit_there_is_as_it_is(base: Offer, edited: Offer) -> None:
    for mine, theirs in ((edited, base), (base, edited), (edited, edited)):
        assert together(base, mine, theirs) == Merged(offer=edited)


@given(OFFERS, OFFERS, OFFERS)
def test_it_loses_no_change_that_one_side_alone_made(base: Offer, mine: Offer, theirs: Offer) -> None:
    merged = together(base, mine, theirs)
    was, now = base.by_value(), merged.offer.by_value()
    for side, other in ((mine.by_value(), theirs.by_value()), (theirs.by_value(), mine.by_value())):
        for value in {*was, *side}:
            here, there = side.get(value), other.get(value)
            if there == was.get(value) and here != there:
                assert now.get(value) == here
            elif here and there:
                before = was.get(value, Label(value=value))
                alone = [name for name in FIELDS if getattr(there, name) == getattr(before, name)]
                assert all(getattr(now[value], name) == getattr(here, name) for name in alone)


@given(OFFERS, OFFERS, OFFERS)
def test_it_asks_about_exactly_what_both_set_differently(base: Offer, mine: Offer, theirs: Offer) -> None:
    merged = together(base, mine, theirs)
    was, here, there = base.by_value(), mine.by_value(), theirs.by_value()
    wanted = set()
    for value in {*was, *here, *there}:
        one, two, before = here.get(value), there.get(value), was.get(value)
        if one and two:
            start = before or Label(value=value)
            triples = {name: [getattr(side, name) for side in (start, one, two)] for name in FIELDS}
            wanted |= {Question(field=name, value=value) for name, all_ in triples.items() if len({*all_}) == 3}
        elif before and (one or two) and (one or two) != before:
            wanted.add(Question(field=PRESENCE, value=value))
    assert {question for question in merged.questions if question.field != ORDER} == wanted
    assert all(is_open(question, mine=mine, theirs=theirs) for question in merged.questions)


@given(OFFERS, OFFERS, OFFERS)
def test_it_is_the_same_from_either_side_where_nothing_is_asked(base: Offer, mine: Offer, theirs: Offer) -> None:
    one, other = together(base, mine, theirs), together(base, theirs, mine)
    assert {*one.questions} == {*other.questions}
    if not one.questions:
        assert one.offer.by_value() == other.offer.by_value()
        assert one.offer.other_allowed == other.offer.other_allowed
        came = [side.by_value().keys() - base.by_value().keys() for side in (mine, theirs)]
        if not all(came):
            assert one == other


@given(OFFERS, OFFERS, OFFERS)
def test_it_keeps_the_order_of_the_side_that_alone_moved_labels(base: Offer, mine: Offer, theirs: Offer) -> None:
    merged = together(base, mine, theirs)
    shared = {*values(base)} & {*values(mine)} & {*values(theirs)} & {*values(merged.offer)}
    was, here, there, now = (
        [value for value in values(side) if value in shared] for side in (base, mine, theirs, merged.offer)
    )
    moved = [side for side in (here, there) if side != was]
    if Question(field=ORDER) in merged.questions:
        assert len(moved) == 2
        assert here != there
        assert now == here
    else:
        assert now == (moved[0] if moved else was)


@given(OFFERS, OFFERS, OFFERS, st.data())
def test_it_settles_each_question_the_way_it_is_answered(
    base: Offer, mine: Offer, theirs: Offer, data: st.DataObject
) -> None:
    merged = together(base, mine, theirs)
    answers = {question: data.draw(st.sampled_from([MINE, THEIRS])) for question in merged.questions}
    made = answered(merged.offer, theirs, answers)
    for question, said in answers.items():
        if said == THEIRS:
            assert not is_open(question, mine=made, theirs=theirs)
        elif question.field in FIELDS:
            kept = [getattr(side.by_value()[question.value], question.field) for side in (made, mine)]
            assert kept[0] == kept[1]
        elif question.field == PRESENCE:
            assert (question.value in made.by_value()) == (question.value in mine.by_value())
    assert len({*values(made)}) == len(made.labels)
    assert answered(merged.offer, theirs, dict.fromkeys(merged.questions, MINE)) == merged.offer


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "after"),
    [
        ("ab", "abm", "abt", "abtm"),
        ("ab", "mab", "tab", "tmab"),
        ("ab", "bam", "abt", "btam"),
        ("abc", "acm", "cab", "cma"),
        ("abc", "bc", "abtc", "btc"),
        ("", "m", "t", "tm"),
        ("ab", "", "abt", "t"),
    ],
)
def test_it_puts_what_came_behind_what_it_followed(base: str, mine: str, theirs: str, after: str) -> None:
    sides = [offer(*(Label(value=value) for value in side)) for side in (base, mine, theirs)]
    merged = together(*sides)
    assert (values(merged.offer), merged.questions) == (after, ())


def test_it_asks_when_one_removed_what_the_other_changed() -> None:
    changed = replace(A, title="Mark")
    question = Question(field=PRESENCE, value="a")
    mine_gone = together(offer(A, B), offer(B), offer(changed, B))
    assert (values(mine_gone.offer), mine_gone.questions) == ("b", (question,))
    assert answered(mine_gone.offer, offer(changed, B), {question: THEIRS}) == offer(changed, B)
    theirs_gone = together(offer(A, B), offer(changed, B), offer(B))
    assert (theirs_gone.offer, theirs_gone.questions) == (offer(changed, B), (question,))
    assert answered(theirs_gone.offer, offer(B), {question: THEIRS}) == offer(B)


def test_it_asks_once_about_two_orders_and_lets_either_stand() -> None:
    theirs = offer(C, A, B)
    merged = together(offer(A, B, C), offer(B, A, C), theirs)
    assert (values(merged.offer), merged.questions) == ("bac", (Question(field=ORDER),))
    assert values(answered(merged.offer, theirs, {Question(field=ORDER): THEIRS})) == "cab"


@pytest.mark.parametrize(
    ("mine", "theirs", "after"),
    [
        (offer(A, other_allowed=False), offer(A), False),
        (offer(A), offer(A, other_allowed=False), False),
        (offer(A, B), offer(A, other_allowed=False), False),
        (offer(), offer(A, B, other_allowed=False), False),
    ],
)
def test_it_takes_over_who_alone_said_something_about_others(mine: Offer, theirs: Offer, after: bool) -> None:
    assert together(offer(A), mine, theirs).offer.other_allowed is after


def test_it_asks_nothing_about_what_is_gone_or_typed_as_theirs() -> None:
    theirs = offer(replace(A, title="Theirs"))
    question = Question(field="title", value="a")
    assert is_open(question, mine=offer(replace(A, title="Mine")), theirs=theirs)
    assert not is_open(question, mine=offer(B), theirs=theirs)
    assert not is_open(question, mine=theirs, theirs=theirs)
