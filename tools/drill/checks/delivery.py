"""From the database to Mixpeek: each change arrives once and overwrites nobody unseen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tools.drill.collect import VALUES, ChangeRow, Version, World
from tools.drill.findings import Check, Violation, same

_OPEN = {"conflict", "refused"}


@dataclass(frozen=True, kw_only=True)
class MatchedVersions:
    """Our versions of one annotation upstream, each with its change; `strays` have none."""

    pairs: list[tuple[Version, ChangeRow]]
    strays: list[Version]


@dataclass(frozen=True, kw_only=True)
class _History:
    """One annotation: its versions upstream, its changes, and how they match."""

    ref: str
    versions: list[Version]
    changes: list[ChangeRow]
    matches: MatchedVersions


def match_versions(
    versions: list[Version],
    changes: list[ChangeRow],
    ours: str,
) -> MatchedVersions:
    """Give each version of ours the first change that wanted just that.

    The change is later than that of the version before. A change may be sent anew when a stranger
    has set back what it had done before anybody heard of it, and once more to say whose decision it
    is when that could not be said at first (in bulk).
    """
    pairs: list[tuple[Version, ChangeRow]] = []
    strays: list[Version] = []
    rest = list(changes)
    for version in versions:
        if version.by != ours or version.number == 1:
            continue

        index = _fitting_index(version, rest)
        if index is not None:
            pairs.append((version, rest[index]))
            rest = rest[index + 1 :]
            continue

        if pairs:
            previous, change = pairs[-1]
            if _fits(version, change) and _is_sent_anew(versions, previous, version, ours):
                pairs.append((version, change))
                continue
        strays.append(version)
    return MatchedVersions(pairs=pairs, strays=strays)


def _fitting_index(version: Version, changes: list[ChangeRow]) -> int | None:
    """Return the index of the change that names this version, else of the first that fits."""
    fitting = [index for index, change in enumerate(changes) if _fits(version, change)]
    for index in fitting:
        if changes[index].version == version.number:
            return index
    return min(fitting, default=None)


def _is_sent_anew(versions: list[Version], first: Version, again: Version, ours: str) -> bool:
    is_author_only = again.changed == {"metadata"}
    if is_author_only and _decision_named_in(first) != _decision_named_in(again):
        return True
    return _is_set_back(versions, first, again, ours)


def _is_set_back(versions: list[Version], first: Version, again: Version, ours: str) -> bool:
    changed_by_others: set[str] = set()
    for version in versions:
        if first.number < version.number < again.number and version.by != ours:
            changed_by_others |= version.changed
    return again.changed <= changed_by_others


def _fits(version: Version, change: ChangeRow) -> bool:
    is_delivered = change.state == "delivered"
    if is_delivered and change.version is None and not change.raced:
        # A confirmation that changed nothing upstream.
        return False

    if not change.sets_values:
        return version.changed == {"metadata"} and _says_outcome(version, change)

    decision_id = _decision_named_in(version)
    if "metadata" in version.changed and decision_id:
        return decision_id == change.cause

    for name in version.changed:
        is_wanted = name in change.fields and same(version.values[name], change.fields[name])
        if not is_wanted:
            return False
    return change.version is None or version.number <= change.version


def _decision_named_in(version: Version) -> str:
    """Return the id of the decision that a version names, "" if it names none."""
    return str(_stamp_in(version).get("decision_id") or "")


def _stamp_in(version: Version) -> dict[str, Any]:
    metadata = version.values.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    stamp = metadata.get("reviewapp")
    return stamp if isinstance(stamp, dict) else {}


def _says_outcome(version: Version, change: ChangeRow) -> bool:
    """Return whether a version says what a change says that sets no values."""
    stamp = _stamp_in(version)
    said = {name: stamp.get(name) for name in change.fields}
    return stamp.get("decision_id") == change.decision_id and same(said, change.fields)


def _histories(world: World) -> list[_History]:
    histories = []
    for row in world.annotations:
        versions = world.upstream.get(row.annotation_id, [])
        changes = world.changes_by_ref.get(row.ref, [])
        history = _History(
            ref=row.ref,
            versions=versions,
            changes=changes,
            matches=match_versions(versions, changes, world.ours),
        )
        histories.append(history)
    return histories


def check_settled(world: World) -> tuple[str, list[Violation]]:
    """Changes wait only for a person."""
    states = Counter(change.state for change in world.changes)
    counts = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))

    violations = []
    for change in world.changes:
        if change.state not in {"delivered", "withdrawn"} | _OPEN:
            problem = f"change {change.id} is {change.state}"
            evidence = {"reason": change.reason}
            violations.append(Violation(about=change.ref, problem=problem, evidence=evidence))
    return counts or "no changes", violations


def check_applied_once(world: World) -> tuple[str, list[Violation]]:
    """Each version of ours upstream is one change, in the order of the changes."""
    undone = set(world.undone)
    violations = []
    version_count = 0
    for history in _histories(world):
        version_count += len(history.matches.pairs)
        for version, change in history.matches.pairs:
            is_reverted = change.cause in world.reverted
            if change.cause in undone and change.version is None and not is_reverted:
                problem = f"version {version.number} upstream was undone (change {change.id})"
                violations.append(Violation(about=history.ref, problem=problem))

        for stray in history.matches.strays:
            reason = "is no change of ours, or one applied twice or out of order"
            violation = Violation(
                about=history.ref,
                problem=f"version {stray.number} upstream {reason}",
                evidence={
                    "changed": sorted(stray.changed),
                    "values": stray.values,
                    "changes": _summaries(history.changes),
                },
            )
            violations.append(violation)
    figure = f"{version_count:,} versions of ours = {version_count:,} effective changes"
    return figure, violations


def check_delivered(world: World) -> tuple[str, list[Violation]]:
    """A delivered change stood upstream at the version it names, and its decision is named there.

    A confirmation may name no version, where nothing said who decided; then what it confirms stood
    there some time. A reversal may name none, where nothing was left to revert.
    """
    violations = []
    delivered_count = 0
    for history in _histories(world):
        named = {_decision_named_in(version) for version in history.versions}
        delivered = [change for change in history.changes if change.state == "delivered"]
        delivered_count += len(delivered)
        for change in delivered:
            claim = f"change {change.id} is called delivered"
            if change.verb == "revert" and change.version is None:
                continue

            if not _is_held(change, history.versions):
                problem = f"{claim} as version {change.version}, which does not hold it"
                evidence = {"wanted": change.fields}
                violations.append(Violation(about=history.ref, problem=problem, evidence=evidence))

            must_be_named = world.stamped and not change.without_author
            if must_be_named and change.decision_id not in named:
                problem = f"{claim}, and no version names its decision"
                violations.append(Violation(about=history.ref, problem=problem))
    return f"{delivered_count:,} delivered", violations


def _is_held(change: ChangeRow, versions: list[Version]) -> bool:
    """Return whether the version that the change names holds what it set or said.

    For a confirmation that names no version, any version may hold it.
    """
    may_be_any = change.verb == "confirm" and change.version is None
    for version in versions:
        if not may_be_any and version.number != change.version:
            continue
        if _holds(version, change):
            return True
    return False


def _holds(version: Version, change: ChangeRow) -> bool:
    if not change.sets_values:
        return _says_outcome(version, change)
    return _has_values(version, change.fields)


def _has_values(version: Version, values: dict[str, Any]) -> bool:
    return all(same(version.values[name], value) for name, value in values.items())


def check_last_values(world: World) -> tuple[str, list[Violation]]:
    """Upstream has the last decision, unless a later edit, a conflict or a refusal says why not."""
    violations = []
    later_count = 0
    waiting_count = 0
    for history in _histories(world):
        for change in history.changes:
            if change.state == "withdrawn" and not change.reason:
                problem = f"change {change.id} was withdrawn for no reason"
                violations.append(Violation(about=history.ref, problem=problem))
        if not history.versions:
            continue

        now = history.versions[-1].values
        violations += _check_last_outcome(world, history)
        # Without the versions of changes whose response was lost, and which were then given up in
        # a conflict.
        strays = history.matches.strays
        others = [version for version in history.versions if version not in strays]
        for name, change in _last_changes(history.changes).items():
            value = change.fields[name]
            if same(now[name], value):
                continue
            if change.state == "delivered" and _is_set_later(others, name, change):
                later_count += 1
            elif change.state in _OPEN and change.reason:
                waiting_count += 1
            else:
                wish = f"what change {change.id} ({change.state}) wanted"
                problem = f"{name} upstream is not {wish}, and nothing says why"
                evidence = {"wanted": value, "now": now[name]}
                violations.append(Violation(about=history.ref, problem=problem, evidence=evidence))

    figure = f"{later_count:,} fields set later by others, {waiting_count:,} wait for a person"
    return figure, violations


def _last_changes(changes: list[ChangeRow]) -> dict[str, ChangeRow]:
    """Return the last change of each field, without withdrawn changes."""
    last_changes: dict[str, ChangeRow] = {}
    for change in changes:
        if change.state != "withdrawn" and change.sets_values:
            last_changes |= dict.fromkeys(change.fields, change)
    return last_changes


def _check_last_outcome(world: World, history: _History) -> list[Violation]:
    """Return a violation if upstream goes on saying "can't tell" of what was reverted."""
    stamp = _stamp_in(history.versions[-1])
    decision_id = stamp.get("decision_id")
    if stamp.get("outcome") != "cannot_tell" or decision_id not in world.undone:
        return []

    for change in history.changes:
        if change.verb == "revert" and change.decision_id == decision_id and change.state in _OPEN:
            return []
    problem = f"upstream says “can't tell” by decision {decision_id}, which was undone"
    return [Violation(about=history.ref, problem=problem)]


def _is_set_later(versions: list[Version], name: str, change: ChangeRow) -> bool:
    delivered_as = change.version or 0
    later = [version for version in versions if version.number > delivered_as]
    return any(name in version.changed for version in later)


def check_silent_overwrites(world: World) -> tuple[str, list[Violation]]:
    """What a version of ours replaced is what its person had seen, or is recorded as lost."""
    violations = []
    recorded_count = 0
    for history in _histories(world):
        previous = {version.number + 1: version for version in history.versions}
        for version, change in history.matches.pairs:
            if change.state == "queued":
                continue

            recorded = (change.raced or {}).get("lost") or {}
            for name in sorted(version.changed - {"metadata"}):
                replaced = previous[version.number].values[name]
                if _has_same(change.base, name, replaced):
                    continue
                if _has_same(recorded, name, replaced):
                    recorded_count += 1
                    continue
                overwrite = f"replaced {name} that nobody had seen (change {change.id})"
                problem = f"version {version.number} {overwrite}"
                evidence = {
                    "replaced": replaced,
                    "base": change.base.get(name),
                    "raced": change.raced,
                }
                violations.append(Violation(about=history.ref, problem=problem, evidence=evidence))

    figure = f"{recorded_count:,} lost in a race and recorded, {len(violations)} in silence"
    return figure, violations


def _has_same(values: dict[str, Any], name: str, value: Any) -> bool:
    return name in values and same(values[name], value)


def check_foreign_edits(world: World) -> tuple[str, list[Violation]]:
    """Each acknowledged edit of a stranger is a version upstream; other metadata stays."""
    violations = []
    for edit in world.journal.foreign:
        versions = world.upstream.get(edit.annotation_id, [])
        if not any(_has_values(version, edit.values) for version in versions):
            about = f"annotations/{edit.annotation_id}"
            problem = f"the edit after {edit.step} is gone"
            violations.append(Violation(about=about, problem=problem))

    for history in _histories(world):
        for before, after in pairwise(history.versions):
            is_kept = same(_foreign_metadata(before), _foreign_metadata(after))
            if after.by == world.ours and not is_kept:
                problem = f"version {after.number} changed metadata that is not ours"
                violations.append(Violation(about=history.ref, problem=problem))
    return f"{len(world.journal.foreign):,} edits of strangers", violations


def _foreign_metadata(version: Version) -> dict[str, Any]:
    metadata = version.values.get("metadata") or {}
    return {name: value for name, value in metadata.items() if name != "reviewapp"}


def check_mirror(world: World) -> tuple[str, list[Violation]]:
    """After the last pull every row shows what upstream has, and its version."""
    violations = []
    for row in world.annotations:
        versions = world.upstream.get(row.annotation_id, [])
        if not versions:
            violations.append(Violation(about=row.ref, problem="is not upstream"))
            continue

        now = versions[-1]
        differing = [name for name in VALUES if not same(row.tracked[name], now.values[name])]
        if differing or row.version != now.number:
            names = ", ".join(differing) or "nothing"
            shown = f"shows version {row.version}, upstream has {now.number}"
            violations.append(Violation(about=row.ref, problem=f"{shown}; {names} differs"))
    return f"{len(world.annotations):,} annotations", violations


def _summaries(changes: list[ChangeRow]) -> list[str]:
    summaries = []
    for change in changes:
        names = sorted(change.fields)
        summaries.append(f"{change.id} {change.state} v{change.version} {names}")
    return summaries


DELIVERY: dict[str, Check] = {
    "every change is settled": check_settled,
    "versions upstream = effective changes, in order": check_applied_once,
    "delivered means that Mixpeek held it": check_delivered,
    "upstream holds the last decision, or it is said why not": check_last_values,
    "foreign edits overwritten in silence: 0": check_silent_overwrites,
    "foreign edits are all there": check_foreign_edits,
    "what is shown is what upstream has": check_mirror,
}
