"""From the keyboard to the database: every acknowledged submit is one decision, as typed, and in order."""

from __future__ import annotations

from collections import Counter, defaultdict

from tools.drill.collect import World
from tools.drill.findings import Check, Fault, same
from tools.drill.journal import ACKNOWLEDGED, NEVER_ANSWERED, UNEXPECTED


def all_answered(world: World) -> tuple[str, list[Fault]]:
    """Every submit was answered in the end, by a page that one expects."""
    submits = world.journal.submits
    faults = [
        Fault(
            about=each.ref,
            what=f"the submit of step {each.step} was {each.outcome}",
            seen={"answers": each.answers},
        )
        for each in submits
        if each.outcome in {NEVER_ANSWERED, UNEXPECTED}
    ]
    return f"{len(submits):,} submits", faults


def none_lost(world: World) -> tuple[str, list[Fault]]:
    """Every acknowledged submit is a decision."""
    there = {each.decision_id for each in world.decisions}
    acknowledged = [each for each in world.journal.submits if each.outcome == ACKNOWLEDGED]
    faults = [
        Fault(
            about=each.ref,
            what=f"decision {each.decision_id} was acknowledged and is lost",
            seen={"step": each.step},
        )
        for each in acknowledged
        if each.decision_id not in there
    ]
    return f"{len(acknowledged):,} acknowledged, {len(faults)} lost", faults


def none_made_up(world: World) -> tuple[str, list[Fault]]:
    """Every decision is one acknowledged submit; what was turned down is none."""
    said = {each.decision_id: each.outcome for each in world.journal.submits}
    faults = [
        Fault(
            about=each.ref,
            what=f"decision {each.decision_id} stands, but its submit was {said[each.decision_id]}",
        )
        if each.decision_id in said
        else Fault(about=each.ref, what=f"decision {each.decision_id} was submitted by nobody")
        for each in world.decisions
        if said.get(each.decision_id) != ACKNOWLEDGED
    ]
    return f"{len(world.decisions):,} decisions", faults


def none_doubled(world: World) -> tuple[str, list[Fault]]:
    """No submit became two decisions."""
    steps = {each.decision_id: each.step for each in world.journal.submits}
    decided = Counter(steps[each.decision_id] for each in world.decisions if each.decision_id in steps)
    ids = Counter(each.decision_id for each in world.decisions)
    faults = [Fault(about=step, what=f"step {step} is {many} decisions") for step, many in decided.items() if many > 1]
    faults += [Fault(about=id_, what=f"decision {id_} is there {many} times") for id_, many in ids.items() if many > 1]
    return f"{len(faults)} duplicates", faults


def as_typed(world: World) -> tuple[str, list[Fault]]:
    """A decision holds what was typed, is its person's, and holds no confidence or reasoning that they did not give."""
    submits = {each.decision_id: each for each in world.journal.submits if each.outcome == ACKNOWLEDGED}
    faults = []
    for decision in world.decisions:
        submit = submits.get(decision.decision_id)
        if submit is None:
            continue
        lost = {name: value for name, value in submit.typed.items() if not same(decision.values[name], value)}
        if lost:
            faults.append(
                Fault(about=decision.ref, what="what was typed was not kept", seen={"typed": lost}),
            )
        foreign = {
            name: decision.values[name]
            for name, value in submit.words.items()
            if name not in submit.typed and not same(decision.values[name], value)
        }
        if foreign:
            what = "the decision holds what its person did not say"
            faults.append(
                Fault(about=decision.ref, what=what, seen={"held": foreign, "words": submit.words}),
            )
        expected = submit.person, submit.ref, "undecidable" if submit.cannot_tell else "decided"
        if expected != (decision.person, decision.ref, decision.outcome):
            faults.append(
                Fault(
                    about=decision.ref,
                    what=f"decision {decision.decision_id} is another's or on another",
                )
            )
    return f"{sum(len(each.typed) for each in submits.values()):,} fields typed", faults


def in_order(world: World) -> tuple[str, list[Fault]]:
    """On one ref, a submit that began after another was answered is the later decision."""
    row = {each.decision_id: each.id for each in world.decisions}
    by_ref = defaultdict(list)
    for submit in world.journal.submits:
        if submit.outcome == ACKNOWLEDGED and submit.decision_id in row:
            by_ref[submit.ref].append(submit)
    faults, pairs = [], 0
    for ref, submits in by_ref.items():
        submits.sort(key=lambda each: row[each.decision_id])
        latest_start = 0.0
        for submit in submits:
            pairs += 1
            if submit.answered < latest_start:
                faults.append(
                    Fault(about=ref, what=f"decision {submit.decision_id} comes too late in order"),
                )
            latest_start = max(latest_start, submit.sent)
    return f"{len(by_ref):,} refs, {pairs:,} decisions", faults


SUBMITS: dict[str, Check] = {
    "every submit is answered": all_answered,
    "acknowledged submits are decisions (lost: 0)": none_lost,
    "decisions are acknowledged submits": none_made_up,
    "duplicates: 0": none_doubled,
    "decisions hold what was typed": as_typed,
    "decisions are in order, ref by ref": in_order,
}
