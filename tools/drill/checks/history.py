"""History: each change of a tracked column has its event, without gaps, and each event says who."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tools.drill.collect import VALUES, AnnotationRow, ChangeRow, DecisionRow, EventRow, World
from tools.drill.findings import Check, Violation, same

# Of a person who sets an item aside; no column of the annotation changes.
_ASIDE = {"annotation.skipped", "annotation.deferred", "annotation.resumed"}
_UNDONE = "annotation.undone"
_PERSONAL = ("confidence", "reasoning")
_MACHINE = {"worker", "pull", "webhook", "shell"}
_EMPTY: tuple[Any, ...] = (None, "", {}, [])


def check_event_chain(world: World) -> tuple[str, list[Violation]]:
    """Column by column, each event begins where the one before ended; the last ends at the row."""
    violations: list[Violation] = []
    link_count = 0
    for row in world.annotations:
        events = []
        for event in world.events_by_ref.get(row.ref, []):
            if event.action.startswith("annotation.") and event.action not in _ASIDE:
                events.append(event)
                link_count += len(event.changes)
        violations += _compare_chain(row, events)
    return f"{link_count:,} links", violations


def _compare_chain(row: AnnotationRow, events: list[EventRow]) -> list[Violation]:
    violations = []
    current: dict[str, Any] = {}
    for event in events:
        for name, (old, new) in event.changes.items():
            if name in row.tracked and not _equal(current.get(name), old):
                problem = f"event {event.id} says {name} was something that no event had made it"
                evidence = {"was": old, "before": current.get(name)}
                violations.append(Violation(about=row.ref, problem=problem, evidence=evidence))
            current[name] = new

    missing = []
    for name, value in row.tracked.items():
        if not _equal(current.get(name), value):
            missing.append(name)
    if missing:
        problem = f"no event says how {', '.join(missing)} became what it is"
        violations.append(Violation(about=row.ref, problem=problem))
    return violations


def check_decision_events(world: World) -> tuple[str, list[Violation]]:
    """Each decision has one event, by its person, with what it set, and exactly one change.

    The change holds the label and all that the decision set, and else only what its person gave. It
    is a confirmation if nothing was set. A decision that it cannot be told sets nothing; its change
    says so, with the reason.
    """
    events_by_decision = _events_by_decision(world.events)
    changes_by_cause: dict[Any, list[ChangeRow]] = defaultdict(list)
    for change in world.changes:
        changes_by_cause[change.cause].append(change)

    violations = []
    for decision in world.decisions:
        events = events_by_decision.get(decision.id, [])
        actors = [world.people.get(event.actor_id or 0) for event in events]
        if actors != [decision.person]:
            problem = f"decision {decision.id} has {len(events)} events, or one of somebody else"
            violations.append(Violation(about=decision.ref, problem=problem))
            continue

        changes = changes_by_cause[decision.decision_id]
        if len(changes) != 1:
            problem = f"decision {decision.id} ({decision.outcome}) has {len(changes)} changes"
            violations.append(Violation(about=decision.ref, problem=problem))
            continue

        for change in changes:
            violations += _compare_change(decision, events[0], change)
    return f"{len(world.decisions):,} decisions", violations


def _events_by_decision(events: list[EventRow]) -> dict[Any, list[EventRow]]:
    """Return the events that brought a decision into force, by its primary key."""
    by_decision: dict[Any, list[EventRow]] = defaultdict(list)
    for event in events:
        is_of_annotation = event.action.startswith("annotation.")
        if not is_of_annotation or event.action == _UNDONE:
            continue
        if "decision_id" in event.changes:
            decision_key = event.changes["decision_id"][1]
            by_decision[decision_key].append(event)
    return by_decision


def _compare_change(
    decision: DecisionRow,
    event: EventRow,
    change: ChangeRow,
) -> list[Violation]:
    changed = {name: event.changes[name][1] for name in VALUES if name in event.changes}
    if decision.outcome == "undecidable":
        outcome = {"outcome": "cannot_tell", "reason": decision.values["reasoning"]}
        if change.verb == "cannot_tell" and same(change.fields, outcome) and not changed:
            return []
        problem = (
            f"decision {decision.id} cannot tell, set {sorted(changed)} and promised otherwise"
        )
        evidence = {"outcome": outcome, "promised": change.fields}
        return [Violation(about=decision.ref, problem=problem, evidence=evidence)]

    # A value that the person entered is set even if it is the annotation's already.
    personal = {name: decision.values[name] for name in _PERSONAL if name in change.fields}
    expected = {"label": decision.values["label"], **personal, **changed}

    is_confirmation = change.verb == "confirm"
    if same(change.fields, expected) and is_confirmation == (not changed):
        return []
    promised = f"{sorted(change.fields)} ({change.verb})"
    problem = f"decision {decision.id} set {sorted(changed)} and promised {promised}"
    evidence = {"set": expected, "promised": change.fields}
    return [Violation(about=decision.ref, problem=problem, evidence=evidence)]


def check_undos(world: World) -> tuple[str, list[Violation]]:
    """What was undone, and nothing else, has its event and was never sent, or was reverted."""
    acknowledged = {undo.decision_id for undo in world.journal.taken_back}
    undone = set(world.undone)

    violations = []
    for decision_id in sorted(acknowledged ^ undone):
        problem = "was undone as its person was told, or as it is kept, but not both"
        violations.append(Violation(about=decision_id, problem=problem))

    undo_events = {}
    for event in world.events:
        if event.action == _UNDONE:
            undo_events[event.changes["decision_id"][0]] = event

    for decision in world.decisions:
        undo_event = undo_events.get(decision.id)
        is_undone = decision.decision_id in undone
        if undo_event is None:
            # The undo of a decision that was not the last changes no column, so it has no event.
            is_last = world.decisions_by_ref[decision.ref][-1] == decision
            is_consistent = not (is_undone and is_last)
        else:
            is_consistent = is_undone and undo_event.actor_id in world.people
        if not is_consistent:
            problem = f"decision {decision.id} and its undoing do not fit"
            violations.append(Violation(about=decision.ref, problem=problem))

    for change in world.changes:
        if change.verb == "revert" and change.decision_id not in undone:
            problem = f"change {change.id} reverts decision {change.decision_id}, which stands"
            violations.append(Violation(about=change.ref, problem=problem))

        is_taken_back = change.state == "withdrawn" or change.cause in world.reverted
        if change.cause in undone and not is_taken_back:
            state = f"{change.state}, version {change.version}"
            problem = f"change {change.id} was undone and is {state}"
            violations.append(Violation(about=change.ref, problem=problem))
    return f"{len(undone):,} undone", violations


def check_change_events(world: World) -> tuple[str, list[Violation]]:
    """Each change has the event that queued it, by its actor, and one for each of its states."""
    violations = []
    for ref, changes in world.changes_by_ref.items():
        # Each as [old, new]; a change that is queued has None as its old state.
        transitions = []
        queued_by: Counter[int | None] = Counter()
        for event in world.events_by_ref.get(ref, []):
            if not event.action.startswith("change.") or "state" not in event.changes:
                continue
            transitions.append(event.changes["state"])
            if event.changes["state"][0] is None:
                queued_by[event.actor_id] += 1

        if not _lead_to_states(transitions, changes):
            problem = "the events do not lead to the states of the changes"
            current = [f"{change.id} {change.state}" for change in changes]
            evidence = {"events": transitions, "changes": current}
            violations.append(Violation(about=ref, problem=problem, evidence=evidence))

        if queued_by != Counter(change.actor_id for change in changes):
            problem = "changes were queued by others than their events say"
            violations.append(Violation(about=ref, problem=problem))
    return f"{len(world.changes):,} changes", violations


def _lead_to_states(transitions: list[Any], changes: list[ChangeRow]) -> bool:
    """Return whether these transitions result in the states of the changes."""
    balance: Counter[str | None] = Counter()
    queued_count = 0
    for old, new in transitions:
        balance[old] -= 1
        balance[new] += 1
        if old is None:
            queued_count += 1

    # None is the state before a change is queued.
    del balance[None]
    is_balanced = balance == Counter(change.state for change in changes)
    return is_balanced and queued_count == len(changes)


def check_event_authors(world: World) -> tuple[str, list[Violation]]:
    """No event came from plain SQL, and each action of a person has an author."""
    violations = []
    for event in world.events:
        has_author = event.actor_id in world.people or event.origin in _MACHINE
        if event.origin == "sql" or not has_author:
            way = f"through {event.origin} by {event.actor_id}"
            problem = f"event {event.id} ({event.action}) came {way}"
            violations.append(Violation(about=event.ref, problem=problem))
    return f"{len(world.events):,} events", violations


def _equal(left: Any, right: Any) -> bool:
    """Return whether two values are the same, or both empty (an event of a new row omits those)."""
    if left in _EMPTY and right in _EMPTY:
        return True
    return same(left, right)


HISTORY: dict[str, Check] = {
    "history is an unbroken chain, column by column": check_event_chain,
    "each decision has its event and its promise": check_decision_events,
    "each change has its events": check_change_events,
    "what was undone was never sent": check_undos,
    "each event says who": check_event_authors,
}
