"""The oracle can fail: each broken world is found out, and by the promise that was broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.tools.drill.worlds import (
    ALICE,
    BOB,
    FIRST,
    OURS,
    REF,
    SECOND,
    STRANGER,
    THIRD,
    change,
    event_row,
    good,
    submit,
    version,
)
from tools.drill.collect import AnnotationRow, Version, World, versions
from tools.drill.journal import (
    NEVER_ANSWERED,
    TURNED_DOWN,
    UNEXPECTED,
    ForeignEdit,
    JournalEntries,
    TakenBack,
)
from tools.drill.verifier import CHECKS, judge

WHY = "Too dark."


def broken(world: World) -> set[str]:
    return {verdict.promise for verdict in judge(world) if verdict.faults}


def journal(world: World, **of_first: Any) -> World:
    first, *rest = world.journal.submits
    return replace(
        world,
        journal=replace(world.journal, submits=[replace(first, **of_first), *rest]),
    )


def first_change(world: World, **more: Any) -> World:
    first, *rest = world.changes
    return replace(world, changes=[replace(first, **more), *rest])


def second_change(world: World, **more: Any) -> World:
    first, second = world.changes
    return replace(world, changes=[first, replace(second, **more)])


def upstream(world: World, *made: Version) -> World:
    return replace(world, upstream={"ann_1": list(made)})


def never_sent(world: World, *, state: str) -> World:
    return upstream(second_change(world, state=state, version=3), *world.upstream["ann_1"][:3])


def more_upstream(world: World, by: str, **values: Any) -> World:
    versions_before = world.upstream["ann_1"]
    return upstream(
        world,
        *versions_before,
        version(len(versions_before) + 1, by, versions_before[-1].values, **values),
    )


def told_undone(world: World) -> World:
    back = [TakenBack(step="1-1", decision_id=FIRST)]
    return replace(world, journal=replace(world.journal, taken_back=back))


def taken_back(world: World, **of_change: Any) -> World:
    undone = event_row(40, "annotation.undone", {"decision_id": [11, None]}, ALICE, "web")
    whole = replace(told_undone(world), undone=[FIRST], events=[*world.events, undone])
    return first_change(whole, **of_change)


def without_event(world: World, id_: int) -> World:
    return replace(world, events=[event for event in world.events if event.id != id_])


def changed_event(world: World, id_: int, **more: Any) -> World:
    return replace(
        world,
        events=[replace(event, **more) if event.id == id_ else event for event in world.events],
    )


def confirmed(world: World, **of_change: Any) -> World:
    """Alice confirms it all; Mixpeek is told by a version that only names her decision."""
    (annotation,) = world.annotations
    last = world.upstream["ann_1"][-1]
    confirmation = change(
        23,
        THIRD,
        {"label": "text"},
        last.values,
        actor_id=ALICE,
        version=5,
        verb="confirm",
        **of_change,
    )
    decision = replace(
        world.decisions[-1],
        id=13,
        decision_id=THIRD,
        person="alice",
        values=last.values | {"reasoning": ""},
    )
    words = {"confidence": 0.4, "reasoning": ""}
    return replace(
        more_upstream(world, OURS, metadata={"reviewapp": {"decision_id": THIRD}}),
        journal=replace(
            world.journal,
            submits=[*world.journal.submits, submit(THIRD, "1-2", "alice", {}, 9.0, words=words)],
        ),
        decisions=[*world.decisions, decision],
        changes=[*world.changes, confirmation],
        annotations=[
            replace(
                annotation,
                version=5,
                tracked=annotation.tracked | {"decision_id": 13, "reviewer_id": ALICE},
            ),
        ],
        events=[
            *world.events,
            event_row(
                39,
                "annotation.confirmed",
                {"decision_id": [12, 13], "reviewer_id": [BOB, ALICE]},
                ALICE,
                "web",
            ),
            event_row(40, "change.queued", {"state": [None, "queued"]}, ALICE, "web"),
            event_row(41, "change.delivered", {"state": ["queued", "delivered"]}),
        ],
    )


def third_change(world: World, **more: Any) -> World:
    *others, third = confirmed(world).changes
    return replace(confirmed(world), changes=[*others, replace(third, **more)])


def could_not_tell(world: World, **of_change: Any) -> World:
    """Alice cannot tell, after all; a version says so, and why."""
    whole = confirmed(world)
    *changes, last = whole.changes
    *versions, _ = whole.upstream["ann_1"]
    *submits, submitted = whole.journal.submits
    *decisions, decision = whole.decisions
    said = {"outcome": "cannot_tell", "reason": WHY}
    promised: dict[str, Any] = {"verb": "cannot_tell", "fields": said, "base": {}}
    words = {"reasoning": WHY}
    submitted = replace(submitted, cannot_tell=True, typed=words, words=words)
    values = decision.values | {"reasoning": WHY}
    return more_upstream(
        replace(
            whole,
            journal=replace(whole.journal, submits=[*submits, submitted]),
            decisions=[*decisions, replace(decision, outcome="undecidable", values=values)],
            changes=[*changes, replace(last, **promised | of_change)],
            upstream={"ann_1": versions},
        ),
        OURS,
        metadata={"reviewapp": {"decision_id": THIRD, **said}},
    )


def reverted(world: World, **of_change: Any) -> World:
    """Alice takes that back when Mixpeek has it already, and a version says so, too."""
    whole = could_not_tell(world)
    (shown,) = whole.annotations
    base = {"outcome": "cannot_tell", "decision_id": THIRD}
    revert = change(
        24,
        "",
        {"outcome": "reverted"},
        base,
        **{"verb": "revert", "actor_id": ALICE, "version": 6} | of_change,
    )
    undone = {"decision_id": [13, 12], "reviewer_id": [ALICE, BOB]}
    taken_back = [TakenBack(step="1-2", decision_id=THIRD)]
    return more_upstream(
        replace(
            whole,
            journal=replace(whole.journal, taken_back=taken_back),
            undone=[THIRD],
            changes=[*whole.changes, replace(revert, cause=None)],
            annotations=[
                replace(
                    shown,
                    version=6,
                    tracked=shown.tracked | {"decision_id": 12, "reviewer_id": BOB},
                ),
            ],
            events=[
                *whole.events,
                event_row(42, "annotation.undone", undone, ALICE, "web"),
                event_row(43, "change.queued", {"state": [None, "queued"]}, ALICE, "web"),
                event_row(44, "change.delivered", {"state": ["queued", "delivered"]}),
            ],
        ),
        OURS,
        metadata={"reviewapp": {"decision_id": THIRD, "outcome": "reverted"}},
    )


def without_last_version(world: World) -> World:
    *versions, _ = world.upstream["ann_1"]
    return upstream(world, *versions)


def row(world: World, **tracked: Any) -> World:
    (annotation,) = world.annotations
    return replace(world, annotations=[replace(annotation, tracked=annotation.tracked | tracked)])


def test_it_finds_nothing_wrong_where_nothing_is() -> None:
    assert [verdict for verdict in judge(good()) if verdict.faults] == []


ANSWERED, LOST, MADE_UP, DOUBLED, TYPED, ORDER = list(CHECKS)[:6]
SETTLED, ONCE, PROVEN, LAST, SILENCE, FOREIGN, MIRRORED = list(CHECKS)[6:13]
CHAIN, DECIDED, EVENTS, UNDONE, SIGNED = list(CHECKS)[13:]

WORLDS: list[tuple[str, Callable[[World], World], str]] = [
    ("a submit that nobody answered", lambda w: journal(w, outcome=NEVER_ANSWERED), ANSWERED),
    ("an answer that nobody expects", lambda w: journal(w, outcome=UNEXPECTED), ANSWERED),
    ("a lost decision", lambda w: replace(w, decisions=w.decisions[1:]), LOST),
    ("a decision that was turned down", lambda w: journal(w, outcome=TURNED_DOWN), MADE_UP),
    (
        "a decision of nobody",
        lambda w: replace(w, journal=replace(w.journal, submits=w.journal.submits[1:])),
        MADE_UP,
    ),
    ("a submit decided twice", lambda w: journal(w, step="2-1"), DOUBLED),
    (
        "a decision there twice",
        lambda w: replace(w, decisions=[*w.decisions, w.decisions[0]]),
        DOUBLED,
    ),
    ("another word than typed", lambda w: journal(w, typed={"label": "face"}), TYPED),
    ("another person's name", lambda w: journal(w, person="bob"), TYPED),
    (
        "the machine's reasoning in a person's mouth",
        lambda w: journal(w, words={"confidence": 0.4, "reasoning": ""}),
        TYPED,
    ),
    ("the wrong outcome", lambda w: journal(w, cannot_tell=True), TYPED),
    ("an earlier submit decided later", lambda w: journal(w, sent=9.0, answered=9.5), ORDER),
    ("a change still waiting", lambda w: second_change(w, state="queued"), SETTLED),
    (
        "a change sent twice",
        lambda w: more_upstream(more_upstream(w, STRANGER, label="x"), OURS, label="text"),
        ONCE,
    ),
    ("a version that nobody wanted", lambda w: more_upstream(w, OURS, label="face"), ONCE),
    (
        "changes out of order",
        lambda w: replace(w, changes=[replace(each, id=40 - each.id) for each in w.changes]),
        ONCE,
    ),
    ("a version of a later change", lambda w: second_change(w, version=3), ONCE),
    ("delivered as a version that lacks it", lambda w: first_change(w, version=1), PROVEN),
    ("delivered as a version that is not there", lambda w: second_change(w, version=9), PROVEN),
    ("delivered without a version of its own", lambda w: second_change(w, version=None), PROVEN),
    (
        "a confirmation sent twice",
        lambda w: more_upstream(
            confirmed(w),
            OURS,
            metadata={"reviewapp": {"decision_id": THIRD, "time": 2}},
        ),
        ONCE,
    ),
    (
        "a confirmation that never stood",
        lambda w: third_change(w, version=None, fields={"label": "face"}),
        PROVEN,
    ),
    ("a delivery that names no decision", lambda w: replace(w, stamped=True), PROVEN),
    ("never sent, called delivered", lambda w: upstream(w, *w.upstream["ann_1"][:3]), PROVEN),
    ("never sent, and nothing says why", lambda w: never_sent(w, state="conflict"), LAST),
    (
        "withdrawn without a reason",
        lambda w: second_change(w, state="withdrawn", fields={"reasoning": "B"}),
        LAST,
    ),
    ("set back by ourselves", lambda w: more_upstream(w, OURS, reasoning="machine"), LAST),
    (
        "a stranger's words replaced unseen",
        lambda w: second_change(w, base={"reasoning": "machine"}),
        SILENCE,
    ),
    (
        "a race that forgot what was lost",
        lambda w: second_change(
            w,
            base={"reasoning": "machine"},
            raced={"read": 2, "now": 4, "lost": {}},
        ),
        SILENCE,
    ),
    (
        "a stranger's edit that is gone",
        lambda w: replace(
            w,
            journal=replace(
                w.journal,
                foreign=[ForeignEdit(step="1", annotation_id="ann_1", values={"label": "y"})],
            ),
        ),
        FOREIGN,
    ),
    (
        "metadata of others replaced",
        lambda w: more_upstream(w, OURS, metadata={"theirs": 1}),
        FOREIGN,
    ),
    ("a row that shows something else", lambda w: row(w, label="face"), MIRRORED),
    ("a row upstream does not have", lambda w: replace(w, upstream={}), MIRRORED),
    ("a missing event", lambda w: without_event(w, 35), CHAIN),
    (
        "an event that starts elsewhere",
        lambda w: changed_event(w, 35, changes={"reasoning": ["x", "a stranger's"]}),
        CHAIN,
    ),
    ("a row changed in silence", lambda w: row(w, status="waiting"), CHAIN),
    ("a decision without event", lambda w: without_event(w, 32), DECIDED),
    ("a decision told as somebody else's", lambda w: changed_event(w, 32, actor_id=2), DECIDED),
    ("a decision never promised", lambda w: replace(w, changes=w.changes[1:]), DECIDED),
    ("a confirmation never promised", lambda w: replace(confirmed(w), changes=w.changes), DECIDED),
    (
        "a confirmation promised twice",
        lambda w: replace(confirmed(w), changes=[*confirmed(w).changes, confirmed(w).changes[-1]]),
        DECIDED,
    ),
    (
        "a confirmation that sets something",
        lambda w: third_change(w, fields={"label": "face"}),
        DECIDED,
    ),
    ("a confirmation called something else", lambda w: third_change(w, verb="set"), DECIDED),
    (
        "cannot tell, promised as a confirmation",
        lambda w: could_not_tell(w, verb="confirm", fields={"label": "text"}),
        DECIDED,
    ),
    (
        "another reason than the person's",
        lambda w: could_not_tell(w, fields={"outcome": "cannot_tell", "reason": "x"}),
        DECIDED,
    ),
    ("cannot tell, never sent", lambda w: without_last_version(could_not_tell(w)), PROVEN),
    ("cannot tell, never reverted", lambda w: without_last_version(reverted(w)), LAST),
    (
        "cannot tell, taken back without a word",
        lambda w: replace(reverted(w), changes=could_not_tell(w).changes),
        UNDONE,
    ),
    (
        "cannot tell, reverted though it stands",
        lambda w: replace(reverted(w), undone=[]),
        UNDONE,
    ),
    ("a promise of something else", lambda w: first_change(w, fields={"label": "face"}), DECIDED),
    ("a change without its event", lambda w: without_event(w, 33), EVENTS),
    ("a delivery without event", lambda w: without_event(w, 38), EVENTS),
    ("a change queued by another", lambda w: changed_event(w, 33, actor_id=2), EVENTS),
    ("an undo that nobody was told of", lambda w: replace(w, undone=[FIRST]), UNDONE),
    ("an undo that is not kept", told_undone, UNDONE),
    ("an undo without event", lambda w: replace(told_undone(w), undone=[FIRST]), UNDONE),
    ("taken back and sent", lambda w: taken_back(w, state="delivered", version=2), UNDONE),
    ("taken back and upstream", lambda w: taken_back(w, state="withdrawn", version=None), ONCE),
    ("an event from behind the app's back", lambda w: changed_event(w, 35, origin="sql"), SIGNED),
    ("a click of nobody", lambda w: changed_event(w, 33, actor_id=None), SIGNED),
]


@pytest.mark.parametrize(
    ("breaks", "promise"),
    [case[1:] for case in WORLDS],
    ids=[case[0] for case in WORLDS],
)
def test_it_finds_what_is_broken(breaks: Callable[[World], World], promise: str) -> None:
    assert promise in broken(breaks(good()))


def test_it_counts_a_confirmation_as_a_write() -> None:
    world = confirmed(good())
    assert broken(world) == set()
    figures = {verdict.promise: verdict.figure for verdict in judge(world)}
    assert figures[ONCE] == "3 versions of ours = 3 effective changes"


def test_it_counts_cannot_tell_and_its_reversal_as_writes() -> None:
    for world, count in ((could_not_tell(good()), 3), (reverted(good()), 4)):
        assert broken(world) == set()
        figures = {each.promise: each.figure for each in judge(world)}
        assert figures[ONCE] == f"{count} versions of ours = {count} effective changes"


def test_it_lets_a_confirmation_make_no_version_where_nothing_names_its_decision() -> None:
    world = third_change(good(), version=None)
    world = upstream(world, *world.upstream["ann_1"][:4])
    (annotation,) = world.annotations
    world = replace(world, annotations=[replace(annotation, version=4)])
    assert broken(world) == set()
    assert broken(replace(world, stamped=True)) == {PROVEN}


def test_it_tries_every_check() -> None:
    assert {promise for _, _, promise in WORLDS} == set(CHECKS)


def test_it_lets_a_race_pass_that_is_recorded_with_what_was_lost() -> None:
    raced = {"read": 2, "now": 4, "lost": {"reasoning": "a stranger's"}}
    assert broken(second_change(good(), base={"reasoning": "machine"}, raced=raced)) == set()


def test_it_lets_a_conflict_stand_that_says_why() -> None:
    world = good()
    first, second, third, _ = world.upstream["ann_1"]
    world = upstream(
        second_change(world, state="conflict", reason="Somebody else set it.", version=3),
        first,
        second,
        third,
    )
    world = row(
        changed_event(world, 38, changes={"state": ["queued", "conflict"]}),
        reasoning="a stranger's",
    )
    rebased = event_row(39, "annotation.revised", {"reasoning": ["Bob's", "a stranger's"]})
    (annotation,) = world.annotations
    world = replace(
        world, events=[*world.events, rebased], annotations=[replace(annotation, version=3)]
    )
    assert broken(world) == set()


def test_it_lets_a_decision_be_taken_back_that_was_never_sent() -> None:
    assert UNDONE not in broken(taken_back(good(), state="withdrawn", version=None))


def test_it_lets_a_stranger_have_the_last_word() -> None:
    world = more_upstream(good(), STRANGER, reasoning="later")
    assert LAST not in broken(world)


def test_it_knows_a_version_by_the_decision_it_names() -> None:
    named = {"reviewapp": {"decision_id": SECOND}}
    world = more_upstream(good(), OURS, reasoning="again", metadata=named)
    third = change(
        23,
        SECOND,
        {"reasoning": "again"},
        {"reasoning": "Bob's"},
        actor_id=ALICE,
        version=5,
    )
    assert ONCE not in broken(replace(world, changes=[*world.changes, third]))
    assert ONCE in broken(replace(world, changes=[*world.changes, replace(third, cause=FIRST)]))


def test_it_compares_like_json() -> None:
    assert TYPED in broken(journal(good(), typed={"confidence": True}))
    entries = JournalEntries(
        submits=[submit(FIRST, "1-1", "alice", {"payload": {"a": [1.0]}}, 1.0)]
    )
    world = replace(good(), journal=entries)
    (first, *rest) = world.decisions
    world = replace(
        world,
        decisions=[replace(first, values=first.values | {"payload": {"a": [1]}}), *rest],
    )
    assert TYPED not in broken(world)


def test_it_rebuilds_every_version_from_what_was_replaced() -> None:
    record = {
        "annotation_id": "ann_1", "actor_id": "system", "label": "c", "confidence": 1, "reasoning": None,
        "payload": {"x": 1}, "metadata": None, "version": 3,
        "revisions": [
            {"version": 2, "prior": {"label": "b"}, "edited_by": STRANGER},
            {"version": 1, "prior": {"label": "a", "payload": None}, "edited_by": OURS},
        ],
    }  # fmt: skip
    first, second, third = versions(record)
    assert [
        (version.number, version.by, sorted(version.changed)) for version in (first, second, third)
    ] == [
        (1, "system", []),
        (2, OURS, ["label", "payload"]),
        (3, STRANGER, ["label"]),
    ]
    assert [version.values["label"] for version in (first, second, third)] == ["a", "b", "c"]
    assert (first.values["payload"], third.values["payload"], first.values["reasoning"]) == (
        {},
        {"x": 1},
        "",
    )


def test_it_knows_whose_row_it_looks_at() -> None:
    other = AnnotationRow(ref="annotations/ann_2", annotation_id="ann_2", version=1, tracked={})
    refs = []
    for verdict in judge(replace(good(), annotations=[other])):
        refs += [fault.about for fault in verdict.faults]
    assert "annotations/ann_2" in refs
    assert REF not in refs
