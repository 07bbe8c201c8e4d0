"""From the database to Mixpeek: every change arrives once and in order, and nobody's edit disappears in silence."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tools.drill.collect import VALUES, ChangeRow, Version, World
from tools.drill.findings import Check, Violation, same

_OPEN = {"conflict", "refused"}


@dataclass(frozen=True, kw_only=True)
class MatchedVersions:
    """Our versions of one annotation upstream, each with the change that made it; `strays` were made by none."""

    pairs: list[tuple[Version, ChangeRow]]
    strays: list[Version]


def match_versions(versions: list[Version], changes: list[ChangeRow], ours: str) -> MatchedVersions:
    """Give each version of ours the first change, later than that of the version before, that wanted just that.

    A change may be sent anew when a stranger has set back what it had done before anybody heard of
    it, and once more to say whose decision it is when that could not be said at first (in bulk).
    """
    pairs: list[tuple[Version, ChangeRow]] = []
    strays, rest = [], list(changes)
    for version in versions:
        if version.by != ours or version.number == 1:
            continue
        fitting = [number for number, change in enumerate(rest) if _fits(version, change)]
        at = next(
            (number for number in fitting if rest[number].version == version.number),
            min(fitting, default=None),
        )
        if at is not None:
            pairs.append((version, rest[at]))
            rest = rest[at + 1 :]
        elif pairs and _fits(version, pairs[-1][1]) and _is_sent_anew(versions, pairs[-1][0], version, ours):
            pairs.append((version, pairs[-1][1]))
        else:
            strays.append(version)
    return MatchedVersions(pairs=pairs, strays=strays)


def _is_sent_anew(versions: list[Version], first: Version, again: Version, ours: str) -> bool:
    only_says_who = again.changed == {"metadata"} and _decided_by(first) != _decided_by(again)
    return only_says_who or _set_back(versions, first, again, ours)


def _set_back(versions: list[Version], first: Version, again: Version, ours: str) -> bool:
    between = [each for each in versions if first.number < each.number < again.number and each.by != ours]
    return all(any(name in each.changed for each in between) for name in again.changed)


def _fits(version: Version, change: ChangeRow) -> bool:
    if change.state == "delivered" and change.version is None and not change.raced:
        # A confirmation that changed nothing upstream.
        return False
    told = _decided_by(version)
    if "metadata" in version.changed and told:
        return told == change.cause
    wanted = all(name in change.fields and same(version.values[name], change.fields[name]) for name in version.changed)
    return wanted and (change.version is None or version.number <= change.version)


def _decided_by(version: Version) -> str:
    """Return which decision a version says it comes from, "" when it does not say."""
    metadata = version.values.get("metadata")
    ours = metadata.get("reviewapp") if isinstance(metadata, dict) else None
    return str(ours.get("decision_id") or "") if isinstance(ours, dict) else ""


def _all(world: World) -> list[tuple[str, list[Version], list[ChangeRow], MatchedVersions]]:
    found = []
    for row in world.annotations:
        versions, changes = (
            world.upstream.get(row.annotation_id, []),
            world.changes_by_ref.get(row.ref, []),
        )
        found.append((row.ref, versions, changes, match_versions(versions, changes, world.ours)))
    return found


def check_settled(world: World) -> tuple[str, list[Violation]]:
    """Nothing waits any more but for a person."""
    states = sorted({each.state for each in world.changes})
    counts = ", ".join(f"{sum(each.state == state for each in world.changes):,} {state}" for state in states)
    faults = [
        Violation(
            about=each.ref,
            what=f"change {each.id} is {each.state}",
            seen={"reason": each.reason},
        )
        for each in world.changes
        if each.state not in {"delivered", "withdrawn"} | _OPEN
    ]
    return counts or "no changes", faults


def check_applied_once(world: World) -> tuple[str, list[Violation]]:
    """Each version of ours upstream is one change, in the order of the changes: nothing twice, nothing by nobody."""
    faults, many = [], 0
    undone = set(world.undone)
    for ref, _, changes, found in _all(world):
        many += len(found.pairs)
        faults += [
            Violation(
                about=ref,
                what=f"version {version.number} upstream was taken back (change {change.id})",
            )
            for version, change in found.pairs
            if change.cause in undone and change.version is None
        ]
        faults += [
            Violation(
                about=ref,
                what=f"version {stray.number} upstream is no change of ours, or one applied twice or out of order",
                seen={
                    "changed": sorted(stray.changed),
                    "values": stray.values,
                    "changes": _brief(changes),
                },
            )
            for stray in found.strays
        ]
    return f"{many:,} versions of ours = {many:,} effective changes", faults


def check_delivered(world: World) -> tuple[str, list[Violation]]:
    """A change that is called delivered stood upstream at the version it names, and its decision is named there.

    A confirmation may name no version, where nothing said who decided; then what it confirms stood
    there some time.
    """
    faults, many = [], 0
    for ref, versions, changes, _ in _all(world):
        numbered = {each.number: each for each in versions}
        for change in changes:
            if change.state != "delivered":
                continue
            many += 1
            is_confirmed = change.verb == "confirm" and change.version is None
            stood = (
                versions if is_confirmed else [numbered[number] for number in (change.version,) if number in numbered]
            )
            if not any(_holds(version, change) for version in stood):
                what = f"change {change.id} is called delivered as version {change.version}, which does not hold it"
                faults.append(Violation(about=ref, what=what, seen={"wanted": change.fields}))
            is_named = change.without_author or any(_decided_by(version) == change.cause for version in versions)
            if world.stamped and not is_named:
                what = f"change {change.id} is called delivered, and no version names its decision"
                faults.append(Violation(about=ref, what=what))
    return f"{many:,} delivered", faults


def _holds(version: Version, change: ChangeRow) -> bool:
    return all(same(version.values[name], value) for name, value in change.fields.items())


def check_last_values(world: World) -> tuple[str, list[Violation]]:
    """Upstream has what we decided last, unless it was set later, or a conflict or refusal says why not."""
    faults, later, waiting = [], 0, 0
    for ref, versions, changes, found in _all(world):
        gone = [each for each in changes if each.state == "withdrawn" and not each.reason]
        faults += [Violation(about=ref, what=f"change {each.id} was withdrawn for no reason") for each in gone]
        stands = [each for each in changes if each.state != "withdrawn"]
        wanted = {name: (value, change) for change in stands for name, value in change.fields.items()}
        # A stranger's, or of a change that was carried out, unheard of, and then given up in a
        # conflict.
        others = [each for each in versions if each not in found.strays]
        for name, (value, change) in wanted.items():
            if not versions or same(versions[-1].values[name], value):
                continue
            if change.state == "delivered" and _set_later(others, name, change):
                later += 1
            elif change.state in _OPEN and change.reason:
                waiting += 1
            else:
                what = f"{name} upstream is not what change {change.id} ({change.state}) wanted, and nothing says why"
                faults.append(
                    Violation(
                        about=ref,
                        what=what,
                        seen={"wanted": value, "now": versions[-1].values[name]},
                    )
                )
    return f"{later:,} fields set later by others, {waiting:,} wait for a person", faults


def _set_later(versions: list[Version], name: str, change: ChangeRow) -> bool:
    return any(name in version.changed and version.number > (change.version or 0) for version in versions)


def check_silent_overwrites(world: World) -> tuple[str, list[Violation]]:
    """What a version of ours replaced is what its person had seen, or is kept as lost in a race."""
    faults, raced = [], 0
    for ref, versions, _, found in _all(world):
        before = {each.number + 1: each for each in versions}
        for version, change in found.pairs:
            if change.state == "queued":
                continue
            for name in sorted(version.changed - {"metadata"}):
                replaced = before[version.number].values[name]
                if name in change.base and same(replaced, change.base[name]):
                    continue
                lost = (change.raced or {}).get("lost") or {}
                if name in lost and same(lost[name], replaced):
                    raced += 1
                    continue
                what = f"version {version.number} replaced {name} that nobody had seen (change {change.id})"
                seen = {"replaced": replaced, "base": change.base.get(name), "raced": change.raced}
                faults.append(Violation(about=ref, what=what, seen=seen))
    return f"{raced:,} lost in a race and recorded, {len(faults)} in silence", faults


def check_foreign_edits(world: World) -> tuple[str, list[Violation]]:
    """Every edit of a stranger that was acknowledged upstream is a version there; other metadata stays."""
    faults = []
    for edit in world.journal.foreign:
        versions = world.upstream.get(edit.annotation_id, [])
        if not any(all(same(each.values[name], value) for name, value in edit.values.items()) for each in versions):
            faults.append(
                Violation(
                    about=f"annotations/{edit.annotation_id}",
                    what=f"the edit after {edit.step} is gone",
                )
            )
    for ref, versions, _, _ in _all(world):
        for before, after in pairwise(versions):
            if after.by == world.ours and not same(
                _foreign_metadata(before),
                _foreign_metadata(after),
            ):
                faults.append(
                    Violation(
                        about=ref,
                        what=f"version {after.number} changed metadata that is not ours",
                    )
                )
    return f"{len(world.journal.foreign):,} edits of strangers", faults


def _foreign_metadata(version: Version) -> dict[str, Any]:
    metadata = version.values.get("metadata")
    return {name: value for name, value in metadata.items() if name != "reviewapp"} if metadata else {}


def check_mirror(world: World) -> tuple[str, list[Violation]]:
    """After the last pull every row shows what upstream has, and its version."""
    faults = []
    for row in world.annotations:
        versions = world.upstream.get(row.annotation_id, [])
        if not versions:
            faults.append(Violation(about=row.ref, what="is not upstream"))
            continue
        now = versions[-1]
        wrong = [name for name in VALUES if not same(row.tracked[name], now.values[name])]
        if wrong or row.version != now.number:
            what = f"shows version {row.version}, upstream has {now.number}; {', '.join(wrong) or 'nothing'} differs"
            faults.append(Violation(about=row.ref, what=what))
    return f"{len(world.annotations):,} annotations", faults


def _brief(changes: list[ChangeRow]) -> list[str]:
    return [f"{each.id} {each.state} v{each.version} {sorted(each.fields)}" for each in changes]


DELIVERY: dict[str, Check] = {
    "every change is settled": check_settled,
    "versions upstream = effective changes, in order": check_applied_once,
    "delivered means that Mixpeek held it": check_delivered,
    "upstream holds the last decision, or it is said why not": check_last_values,
    "foreign edits overwritten in silence: 0": check_silent_overwrites,
    "foreign edits are all there": check_foreign_edits,
    "what is shown is what upstream has": check_mirror,
}
