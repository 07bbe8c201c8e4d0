"""History: each change of a tracked column has its event, without gaps, and each event says who."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tools.drill.collect import VALUES, ChangeRow, DecisionRow, EventRow, World
from tools.drill.findings import Check, Violation, same

# Of a person who sets an item aside; no column of the annotation changes.
_ASIDE = {"annotation.skipped", "annotation.deferred", "annotation.resumed"}
_UNDONE = "annotation.undone"
_PERSONAL = ("confidence", "reasoning")
_MACHINE = {"worker", "pull", "webhook", "shell"}
_EMPTY: tuple[Any, ...] = (None, "", {}, [])


def check_event_chain(world: World) -> tuple[str, list[Violation]]:
    """Column by column, each event begins where the one before ended; the last ends at the row."""
    violations = []
    link_count = 0
    for row in world.annotations:
        current: dict[str, Any] = {}
        for event in world.events_by_ref.get(row.ref, []):
            if not event.action.startswith("annotation.") or event.action in _ASIDE:
                continue
            for name, (old, new) in event.changes.items():
                link_count += 1
                if name in row.tracked and not _equal(current.get(name), old):
                    what = f"event {event.id} says {name} was something that no event had made it"
                    seen = {"was": old, "before": current.get(name)}
                    violations.append(Violation(about=row.ref, what=what, seen=seen))
                current[name] = new

        missing = []
        for name, value in row.tracked.items():
            if not _equal(current.get(name), value):
                missing.append(name)
        if missing:
            what = f"no event says how {', '.join(missing)} became what it is"
            violations.append(Violation(about=row.ref, what=what))
    return f"{link_count:,} links", violations


def check_decision_events(world: World) -> tuple[str, list[Violation]]:
    """Each decision has one event, by its person, with what it set, and exactly one change.

    The change holds the label and all that the decision set, and else only what its person gave. It
    is a confirmation if nothing was set. A decision that it cannot be told has no change.
    """
    events_by_decision: dict[Any, list[EventRow]] = defaultdict(list)
    for event in world.events:
        is_undo = event.action == _UNDONE
        is_of_annotation = event.action.startswith("annotation.")
        if is_of_annotation and not is_undo and "decision_id" in event.changes:
            decision_key = event.changes["decision_id"][1]
            events_by_decision[decision_key].append(event)

    changes_by_cause: dict[Any, list[ChangeRow]] = defaultdict(list)
    for change in world.changes:
        changes_by_cause[change.cause].append(change)

    violations = []
    for decision in world.decisions:
        events = events_by_decision.get(decision.id, [])
        actors = [world.people.get(event.actor_id or 0) for event in events]
        if actors != [decision.person]:
            what = f"decision {decision.id} has {len(events)} events, or one of somebody else"
            violations.append(Violation(about=decision.ref, what=what))
            continue

        changes = changes_by_cause[decision.decision_id]
        expected_count = 1 if decision.outcome == "decided" else 0
        if len(changes) != expected_count:
            what = f"decision {decision.id} ({decision.outcome}) has {len(changes)} changes"
            violations.append(Violation(about=decision.ref, what=what))
            continue

        for change in changes:
            violations += _compare_change(decision, events[0], change)
    return f"{len(world.decisions):,} decisions", violations


def _compare_change(
    decision: DecisionRow,
    event: EventRow,
    change: ChangeRow,
) -> list[Violation]:
    moved = {name: event.changes[name][1] for name in VALUES if name in event.changes}
    # What its person gave although it stood there already; a blank cannot be given so.
    given = {name: decision.values[name] for name in _PERSONAL if name in change.fields}
    wanted = {"label": decision.values["label"], **given, **moved}

    is_confirmation = change.verb == "confirm"
    if same(change.fields, wanted) and is_confirmation == (not moved):
        return []
    promised = f"{sorted(change.fields)} ({change.verb})"
    what = f"decision {decision.id} set {sorted(moved)} and promised {promised}"
    seen = {"set": wanted, "promised": change.fields}
    return [Violation(about=decision.ref, what=what, seen=seen)]


def check_undos(world: World) -> tuple[str, list[Violation]]:
    """What was taken back, and nothing else, has its event and was never sent."""
    acknowledged = {undo.decision_id for undo in world.journal.taken_back}
    undone = set(world.undone)

    violations = []
    for decision_id in sorted(acknowledged ^ undone):
        what = "was taken back as its person was told, or as it is kept, but not both"
        violations.append(Violation(about=decision_id, what=what))

    undo_events = {}
    for event in world.events:
        if event.action == _UNDONE:
            undo_events[event.changes["decision_id"][0]] = event

    for decision in world.decisions:
        undo_event = undo_events.get(decision.id)
        is_undone = decision.decision_id in undone
        if undo_event is None:
            is_last = world.decisions_by_ref[decision.ref][-1] == decision
            is_wrong = is_undone and is_last
        else:
            is_wrong = not is_undone or undo_event.actor_id not in world.people
        if is_wrong:
            what = f"decision {decision.id} and its undoing do not fit"
            violations.append(Violation(about=decision.ref, what=what))

    for change in world.changes:
        if change.cause in undone and change.state != "withdrawn":
            state = f"{change.state}, version {change.version}"
            what = f"change {change.id} was taken back and is {state}"
            violations.append(Violation(about=change.ref, what=what))
    return f"{len(undone):,} taken back", violations


def check_change_events(world: World) -> tuple[str, list[Violation]]:
    """Each change has the event that queued it, by its actor, and one for each of its states."""
    violations = []
    for ref, changes in world.changes_by_ref.items():
        events = []
        for event in world.events_by_ref.get(ref, []):
            if event.action.startswith("change."):
                events.append(event)

        moves = [event.changes["state"] for event in events if "state" in event.changes]
        entered = Counter(new for _, new in moves)
        left = Counter(old for old, _ in moves)
        now = Counter(change.state for change in changes)
        states = {*entered, *left, *now} - {None}
        is_wrong = any(entered[state] - left[state] != now[state] for state in states)
        if is_wrong or left[None] != len(changes):
            what = "the events do not lead to the states of the changes"
            current = [f"{change.id} {change.state}" for change in changes]
            seen = {"events": moves, "changes": current}
            violations.append(Violation(about=ref, what=what, seen=seen))

        queued_by: Counter[int | None] = Counter()
        for event in events:
            if event.changes.get("state", [""])[0] is None:
                queued_by[event.actor_id] += 1
        if queued_by != Counter(change.actor_id for change in changes):
            what = "changes were queued by others than their events say"
            violations.append(Violation(about=ref, what=what))
    return f"{len(world.changes):,} changes", violations


def check_event_authors(world: World) -> tuple[str, list[Violation]]:
    """No event came about behind the app's back, and what people do bears their name."""
    violations = []
    for event in world.events:
        has_author = event.actor_id in world.people or event.origin in _MACHINE
        if event.origin == "sql" or not has_author:
            way = f"through {event.origin} by {event.actor_id}"
            what = f"event {event.id} ({event.action}) came {way}"
            violations.append(Violation(about=event.ref, what=what))
    return f"{len(world.events):,} events", violations


def _equal(left: Any, right: Any) -> bool:
    """Return whether two values are the same; what a new row leaves out is empty."""
    return same(left, right) or (left in _EMPTY and right in _EMPTY)


HISTORY: dict[str, Check] = {
    "history is an unbroken chain, column by column": check_event_chain,
    "each decision has its event and its promise": check_decision_events,
    "each change has its events": check_change_events,
    "what was taken back was never sent": check_undos,
    "each event says who": check_event_authors,
}
