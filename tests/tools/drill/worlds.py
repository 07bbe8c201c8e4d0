"""A small world in which every promise was kept, for tests to break."""

from __future__ import annotations

from typing import Any

from tools.drill.collect import AnnotationRow, ChangeRow, DecisionRow, EventRow, Version, World
from tools.drill.journal import ACKNOWLEDGED, ForeignEdit, JournalEntries, Submit

REF, OURS, STRANGER = "annotations/ann_1", "key_ours", "key_stranger"
ALICE, BOB = 1, 2
FIRST, SECOND = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
THIRD = "00000000-0000-0000-0000-000000000003"
START: dict[str, Any] = {
    "label": "logo",
    "confidence": 0.4,
    "reasoning": "machine",
    "payload": {},
    "metadata": None,
}


def submit(
    decision_id: str,
    step: str,
    person: str,
    typed: dict[str, Any],
    at: float,
    **more: Any,
) -> Submit:
    whole: dict[str, Any] = {
        "outcome": ACKNOWLEDGED,
        "cannot_tell": False,
        "words": {},
        "answers": ["302"],
        "ref": REF,
    } | more
    return Submit(
        decision_id=decision_id,
        step=step,
        person=person,
        typed=typed,
        sent=at,
        answered=at + 0.5,
        **whole,
    )


def change(
    id_: int,
    cause: str,
    fields: dict[str, Any],
    base: dict[str, Any],
    **more: Any,
) -> ChangeRow:
    whole: dict[str, Any] = {
        "state": "delivered",
        "reason": "",
        "raced": None,
        "attempts": 0,
        "ref": REF,
    }
    whole |= {"verb": "set", "without_author": False} | more
    return ChangeRow(id=id_, cause=cause, fields=fields, base=base, **whole)


def event_row(
    id_: int,
    action: str,
    changes: dict[str, Any],
    actor: int | None = None,
    origin: str = "worker",
) -> EventRow:
    return EventRow(id=id_, ref=REF, action=action, changes=changes, actor_id=actor, origin=origin)


def version(number: int, by: str, before: dict[str, Any], **values: Any) -> Version:
    return Version(number=number, by=by, changed=frozenset(values), values=before | values)


def good() -> World:
    """Alice relabels, Mixpeek's reasoning changes and is pulled, Bob sets it; all is delivered."""
    proposal = Version(number=1, by="system", changed=frozenset(), values=START)
    two = version(2, OURS, proposal.values, label="text")
    three = version(3, STRANGER, two.values, reasoning="a stranger's")
    four = version(4, OURS, three.values, reasoning="Bob's")
    base = {name: value for name, value in START.items() if name != "metadata"}
    tracked = {
        **four.values,
        "annotation_id": "ann_1",
        "status": "decided",
        "decision_id": 12,
        "reviewer_id": BOB,
    }
    return World(
        journal=JournalEntries(
            submits=[
                submit(FIRST, "1-1", "alice", {"label": "text"}, 1.0),
                submit(SECOND, "2-1", "bob", {"reasoning": "Bob's"}, 5.0),
            ],
            foreign=[
                ForeignEdit(
                    step="1-1",
                    annotation_id="ann_1",
                    values={"reasoning": "a stranger's"},
                ),
            ],
            steps=["1-1", "2-1"],
        ),
        decisions=[
            DecisionRow(
                id=11,
                decision_id=FIRST,
                ref=REF,
                person="alice",
                outcome="decided",
                values=base | {"label": "text"},
            ),
            DecisionRow(
                id=12,
                decision_id=SECOND,
                ref=REF,
                person="bob",
                outcome="decided",
                values=four.values,
            ),
        ],
        changes=[
            change(21, FIRST, {"label": "text"}, base, actor_id=ALICE, version=2),
            change(
                22,
                SECOND,
                {"label": "text", "reasoning": "Bob's"},
                base | {"label": "text", "reasoning": "a stranger's"},
                actor_id=BOB,
                version=4,
            ),
        ],
        annotations=[AnnotationRow(ref=REF, annotation_id="ann_1", version=4, tracked=tracked)],
        events=_events(),
        upstream={"ann_1": [proposal, two, three, four]},
        people={ALICE: "alice", BOB: "bob"},
        ours=OURS,
    )


def _events() -> list[EventRow]:
    details: dict[str, Any] = {
        name: [None, value] for name, value in START.items() if value not in (None, {})
    }
    details |= {"annotation_id": [None, "ann_1"], "status": [None, "waiting"]}
    first: dict[str, Any] = {"label": ["logo", "text"], "status": ["waiting", "decided"]}
    first |= {"decision_id": [None, 11], "reviewer_id": [None, ALICE]}
    second: dict[str, Any] = {
        "reasoning": ["a stranger's", "Bob's"],
        "decision_id": [11, 12],
        "reviewer_id": [ALICE, BOB],
    }
    return [
        event_row(31, "annotation.created", details, origin="pull"),
        event_row(32, "annotation.relabelled", first, ALICE, "web"),
        event_row(33, "change.queued", {"state": [None, "queued"]}, ALICE, "web"),
        event_row(34, "change.delivered", {"state": ["queued", "delivered"]}),
        event_row(
            35, "annotation.revised", {"reasoning": ["machine", "a stranger's"]}, origin="pull"
        ),
        event_row(36, "annotation.revised", second, BOB, "web"),
        event_row(37, "change.queued", {"state": [None, "queued"]}, BOB, "web"),
        event_row(38, "change.delivered", {"state": ["queued", "delivered"]}),
    ]
