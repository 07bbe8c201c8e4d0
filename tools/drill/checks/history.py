"""History: every change of a tracked column has its event, the chain is unbroken, and each event says who."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tools.drill.collect import VALUES, Promised, Told, World
from tools.drill.findings import Check, Fault, same

# Of a person who sets an item aside; no column of the annotation changes.
_ASIDE = {"annotation.skipped", "annotation.deferred", "annotation.resumed"}
_UNDONE = "annotation.undone"
_PERSONAL = ("confidence", "reasoning")
_MACHINE = {"worker", "pull", "webhook", "shell"}
_EMPTY: tuple[Any, ...] = (None, "", {}, [])


def _of_rows(events: list[Told]) -> list[Told]:
    return [each for each in events if each.action.startswith("annotation.") and each.action not in _ASIDE]


def unbroken(world: World) -> tuple[str, list[Fault]]:
    """Column by column, each event begins where the one before ended, and the last ends where the row is."""
    faults, links = [], 0
    for row in world.annotations:
        standing: dict[str, Any] = {}
        for event in _of_rows(world.events_by_ref.get(row.ref, [])):
            for name, (old, new) in event.changes.items():
                links += 1
                if name in row.tracked and not _equal(standing.get(name), old):
                    what = f"event {event.id} says {name} was something that no event had made it"
                    faults.append(
                        Fault(
                            about=row.ref,
                            what=what,
                            seen={"was": old, "before": standing.get(name)},
                        )
                    )
                standing[name] = new
        missing = [name for name, value in row.tracked.items() if not _equal(standing.get(name), value)]
        if missing:
            faults.append(
                Fault(
                    about=row.ref,
                    what=f"no event says how {', '.join(missing)} became what it is",
                )
            )
    return f"{links:,} links", faults


def decisions_told(world: World) -> tuple[str, list[Fault]]:
    """Each decision has one event, by its person, with what it set, and exactly one change that promises it.

    The change holds the label and all that the decision set, and else only what its person gave. It
    is a confirmation if nothing was set. That it cannot be told is promised to nobody.
    """
    told: dict[Any, list[Told]] = defaultdict(list)
    for event in world.events:
        if event.action.startswith("annotation.") and event.action != _UNDONE and "decision_id" in event.changes:
            told[event.changes["decision_id"][1]].append(event)
    promised: dict[Any, list[Promised]] = defaultdict(list)
    for change in world.changes:
        promised[change.cause].append(change)
    faults = []
    for decision in world.decisions:
        events = told.get(decision.id, [])
        if [world.people.get(each.actor_id or 0) for each in events] != [decision.person]:
            what = f"decision {decision.id} has {len(events)} events, or one of somebody else"
            faults.append(Fault(about=decision.ref, what=what))
            continue
        changes = promised[decision.decision_id]
        if len(changes) != (1 if decision.outcome == "decided" else 0):
            what = f"decision {decision.id} ({decision.outcome}) has {len(changes)} changes"
            faults.append(Fault(about=decision.ref, what=what))
            continue
        moved = {name: events[0].changes[name][1] for name in VALUES if name in events[0].changes}
        for change in changes:
            # What its person gave although it stood there already; a blank cannot be given so.
            given = {name: decision.values[name] for name in _PERSONAL if name in change.fields}
            wanted = {"label": decision.values["label"], **given, **moved}
            if not same(change.fields, wanted) or (change.verb == "confirm") != (not moved):
                what = (
                    f"decision {decision.id} set {sorted(moved)} and promised {sorted(change.fields)} ({change.verb})"
                )
                faults.append(
                    Fault(
                        about=decision.ref,
                        what=what,
                        seen={"set": wanted, "promised": change.fields},
                    )
                )
    return f"{len(world.decisions):,} decisions", faults


def undos_told(world: World) -> tuple[str, list[Fault]]:
    """What was taken back, and nothing else, is kept as such with its event, and nothing of it was ever sent."""
    said, undone = {each.decision_id for each in world.journal.taken_back}, set(world.undone)
    faults = [
        Fault(
            about=id_,
            what="was taken back as its person was told, or as it is kept, but not both",
        )
        for id_ in sorted(said ^ undone)
    ]
    events = {event.changes["decision_id"][0]: event for event in world.events if event.action == _UNDONE}
    for decision in world.decisions:
        event = events.get(decision.id)
        last = world.decisions_by_ref[decision.ref][-1] == decision
        missing = event is None and decision.decision_id in undone and last
        if missing or (
            event is not None and (decision.decision_id not in undone or event.actor_id not in world.people)
        ):
            faults.append(
                Fault(about=decision.ref, what=f"decision {decision.id} and its undoing do not fit"),
            )
    for change in world.changes:
        if change.cause in undone and change.state != "withdrawn":
            what = f"change {change.id} was taken back and is {change.state}, version {change.version}"
            faults.append(Fault(about=change.ref, what=what))
    return f"{len(undone):,} taken back", faults


def changes_told(world: World) -> tuple[str, list[Fault]]:
    """Each change has the event that queued it, by its actor, and one for each state it went through."""
    faults = []
    for ref, changes in world.changes_by_ref.items():
        events = [each for each in world.events_by_ref.get(ref, []) if each.action.startswith("change.")]
        moves = [each.changes["state"] for each in events if "state" in each.changes]
        come, gone = Counter(new for _, new in moves), Counter(old for old, _ in moves)
        now = Counter(each.state for each in changes)
        wrong = [state for state in {*come, *gone, *now} - {None} if come[state] - gone[state] != now[state]]
        if wrong or gone[None] != len(changes):
            seen = {"events": moves, "changes": [f"{each.id} {each.state}" for each in changes]}
            faults.append(
                Fault(
                    about=ref,
                    what="the events do not lead to the states of the changes",
                    seen=seen,
                )
            )
        queued = Counter(each.actor_id for each in events if each.changes.get("state", [""])[0] is None)
        if queued != Counter(each.actor_id for each in changes):
            faults.append(
                Fault(about=ref, what="changes were queued by others than their events say"),
            )
    return f"{len(world.changes):,} changes", faults


def all_signed(world: World) -> tuple[str, list[Fault]]:
    """No event came about behind the app's back, and what people do bears their name."""
    faults = []
    for event in world.events:
        by_person = event.actor_id in world.people
        if event.origin == "sql" or not (by_person or event.origin in _MACHINE):
            what = f"event {event.id} ({event.action}) came through {event.origin} by {event.actor_id}"
            faults.append(Fault(about=event.ref, what=what))
    return f"{len(world.events):,} events", faults


def _equal(one: Any, other: Any) -> bool:
    """Return whether two values are the same; what a new row leaves out is empty."""
    return same(one, other) or (one in _EMPTY and other in _EMPTY)


HISTORY: dict[str, Check] = {
    "history is an unbroken chain, column by column": unbroken,
    "each decision has its event and its promise": decisions_told,
    "each change has its events": changes_told,
    "what was taken back was never sent": undos_told,
    "each event says who": all_signed,
}
