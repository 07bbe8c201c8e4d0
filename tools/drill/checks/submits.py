"""From the keyboard to the database: each acknowledged submit is one decision, as typed."""

from __future__ import annotations

from collections import Counter, defaultdict

from tools.drill.collect import DecisionRow, World
from tools.drill.findings import Check, Violation, same
from tools.drill.journal import ACKNOWLEDGED, NEVER_ANSWERED, UNEXPECTED, Submit


def check_answers(world: World) -> tuple[str, list[Violation]]:
    """Every submit was answered in the end, by an expected page."""
    violations = []
    for submit in world.journal.submits:
        if submit.outcome in {NEVER_ANSWERED, UNEXPECTED}:
            violation = Violation(
                about=submit.ref,
                problem=f"the submit of step {submit.step} was {submit.outcome}",
                evidence={"answers": submit.answers},
            )
            violations.append(violation)
    return f"{len(world.journal.submits):,} submits", violations


def check_lost_submits(world: World) -> tuple[str, list[Violation]]:
    """Every acknowledged submit is a decision."""
    stored = {decision.decision_id for decision in world.decisions}
    acknowledged = _acknowledged(world)

    violations = []
    for submit in acknowledged:
        if submit.decision_id not in stored:
            violation = Violation(
                about=submit.ref,
                problem=f"decision {submit.decision_id} was acknowledged and is lost",
                evidence={"step": submit.step},
            )
            violations.append(violation)
    return f"{len(acknowledged):,} acknowledged, {len(violations)} lost", violations


def check_invented_decisions(world: World) -> tuple[str, list[Violation]]:
    """Every decision is one acknowledged submit; what was turned down is none."""
    outcomes = {submit.decision_id: submit.outcome for submit in world.journal.submits}

    violations = []
    for decision in world.decisions:
        outcome = outcomes.get(decision.decision_id)
        if outcome == ACKNOWLEDGED:
            continue
        if outcome is None:
            problem = f"decision {decision.decision_id} was submitted by nobody"
        else:
            problem = f"decision {decision.decision_id} stands, but its submit was {outcome}"
        violations.append(Violation(about=decision.ref, problem=problem))
    return f"{len(world.decisions):,} decisions", violations


def check_duplicates(world: World) -> tuple[str, list[Violation]]:
    """No submit became two decisions."""
    steps = {submit.decision_id: submit.step for submit in world.journal.submits}
    by_step: Counter[str] = Counter()
    by_id: Counter[str] = Counter()
    for decision in world.decisions:
        by_id[decision.decision_id] += 1
        if decision.decision_id in steps:
            by_step[steps[decision.decision_id]] += 1

    violations = []
    for step, count in by_step.items():
        if count > 1:
            problem = f"step {step} is {count} decisions"
            violations.append(Violation(about=step, problem=problem))
    for decision_id, count in by_id.items():
        if count > 1:
            problem = f"decision {decision_id} is there {count} times"
            violations.append(Violation(about=decision_id, problem=problem))
    return f"{len(violations)} duplicates", violations


def check_decision_values(world: World) -> tuple[str, list[Violation]]:
    """A decision holds what its person typed, and no other confidence or reasoning."""
    submits = {submit.decision_id: submit for submit in _acknowledged(world)}

    violations: list[Violation] = []
    for decision in world.decisions:
        submit = submits.get(decision.decision_id)
        if submit is not None:
            violations += _compare_decision(decision, submit)

    typed_count = sum(len(submit.typed) for submit in submits.values())
    return f"{typed_count:,} fields typed", violations


def _compare_decision(decision: DecisionRow, submit: Submit) -> list[Violation]:
    violations = []
    lost = {}
    for name, value in submit.typed.items():
        if not same(decision.values[name], value):
            lost[name] = value
    if lost:
        problem = "what was typed was not kept"
        violations.append(Violation(about=decision.ref, problem=problem, evidence={"typed": lost}))

    foreign = {}
    for name, value in submit.words.items():
        if name not in submit.typed and not same(decision.values[name], value):
            foreign[name] = decision.values[name]
    if foreign:
        problem = "the decision holds what its person did not say"
        evidence = {"held": foreign, "words": submit.words}
        violations.append(Violation(about=decision.ref, problem=problem, evidence=evidence))

    outcome = "decided"
    if submit.cannot_tell:
        outcome = "undecidable"
    expected = (submit.person, submit.ref, outcome)
    if expected != (decision.person, decision.ref, decision.outcome):
        problem = f"decision {decision.decision_id} is another's or on another"
        violations.append(Violation(about=decision.ref, problem=problem))
    return violations


def check_order(world: World) -> tuple[str, list[Violation]]:
    """On one ref, a submit that began after another was answered is the later decision."""
    row_ids = {decision.decision_id: decision.id for decision in world.decisions}
    by_ref: dict[str, list[Submit]] = defaultdict(list)
    for submit in _acknowledged(world):
        if submit.decision_id in row_ids:
            by_ref[submit.ref].append(submit)

    violations = []
    decision_count = 0
    for ref, submits in by_ref.items():
        submits.sort(key=lambda submit: row_ids[submit.decision_id])
        latest_start = 0.0
        for submit in submits:
            decision_count += 1
            if submit.answered < latest_start:
                problem = f"decision {submit.decision_id} comes too late in order"
                violations.append(Violation(about=ref, problem=problem))
            latest_start = max(latest_start, submit.sent)
    return f"{len(by_ref):,} refs, {decision_count:,} decisions", violations


def _acknowledged(world: World) -> list[Submit]:
    return [submit for submit in world.journal.submits if submit.outcome == ACKNOWLEDGED]


SUBMITS: dict[str, Check] = {
    "every submit is answered": check_answers,
    "acknowledged submits are decisions (lost: 0)": check_lost_submits,
    "decisions are acknowledged submits": check_invented_decisions,
    "duplicates: 0": check_duplicates,
    "decisions hold what was typed": check_decision_values,
    "decisions are in order, ref by ref": check_order,
}
