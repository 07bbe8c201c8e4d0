"""Three-way comparison of base, mine and theirs: what decides whether anybody's words would be lost. Pure.

Values are JSON. A field that one side leaves out counts as unchanged by that side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from reviewapp.json_values import same

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Both sides put together: `conflicts` names the fields that each set differently, `mine_only` those that only I
    changed, `theirs_only` those that only the other side did (`{field: [base, theirs]}`). In `values` a conflicting
    field keeps mine."""

    values: dict[str, Any]
    conflicts: tuple[str, ...] = ()
    mine_only: tuple[str, ...] = ()
    theirs_only: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What to do with a change after reading upstream: `send` what is still to be set, unless `conflicts`.

    Nothing to send and no conflict means that upstream is already as wanted. `merged` are the other fields that
    moved since base (`{field: [base, theirs]}`), which stay as they are.
    """

    send: dict[str, Any]
    conflicts: tuple[str, ...] = ()
    merged: dict[str, list[Any]] = field(default_factory=dict)


def three_way(*, base: Values, mine: Values, theirs: Values, asserted: Collection[str] = ()) -> Merge:
    """Merge `mine` and `theirs`, both made from `base`.

    A field in `asserted` counts as set by me even where I left it as it was: whoever confirms a label says
    something about it, so that another label set meanwhile is a conflict and not a merge.
    """
    values, conflicts, mine_only, theirs_only = dict(theirs), [], [], {}
    for name, wanted in mine.items():
        now = theirs.get(name, wanted)
        they_moved = name in theirs and not same(now, base.get(name))
        i_changed = not same(wanted, base.get(name))
        i_moved = name in asserted or i_changed
        if i_moved:
            values[name] = wanted
        if i_changed and not they_moved:
            mine_only.append(name)
        if they_moved and not same(now, wanted):
            if i_moved:
                conflicts.append(name)
            else:
                theirs_only[name] = [base.get(name), now]
    return Merge(values=values, conflicts=tuple(conflicts), mine_only=tuple(mine_only), theirs_only=theirs_only)


def judge(*, fields: Values, base: Values, theirs: Values) -> Judgement:
    """Compare what a change wants (`fields`, from `base`) with what upstream holds now (`theirs`)."""
    send = {name: wanted for name, wanted in fields.items() if not same(theirs.get(name), wanted)}
    conflicts = tuple(name for name in send if not same(theirs.get(name), base.get(name)))
    merged = {
        name: [was, theirs[name]]
        for name, was in base.items()
        if name not in fields and name in theirs and not same(theirs[name], was)
    }
    return Judgement(send=send, conflicts=conflicts, merged=merged)
