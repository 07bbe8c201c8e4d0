"""Three-way comparison of base, mine and theirs. Pure.

Values are JSON. A field that one side leaves out counts as unchanged by that side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from reviewapp.json_values import is_same_json

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """The merge of both sides.

    `conflicts` names the fields that both sides set differently; in `values` these keep mine.
    `mine_only` names those that only I changed. `theirs_only` holds those that only the other side
    changed, as `{field: [base, theirs]}`.
    """

    values: dict[str, Any]
    conflicts: tuple[str, ...] = ()
    mine_only: tuple[str, ...] = ()
    theirs_only: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What to do with a change after reading upstream: `send` these values, unless `conflicts`.

    Nothing to send and no conflict means that upstream already has the values. `merged` holds the
    other fields that changed since base, as `{field: [base, theirs]}`; they stay as they are.
    """

    send: dict[str, Any]
    conflicts: tuple[str, ...] = ()
    merged: dict[str, list[Any]] = field(default_factory=dict)


def three_way(
    *,
    base: Values,
    mine: Values,
    theirs: Values,
    asserted: Collection[str] = (),
) -> Merge:
    """Merge `mine` and `theirs`, both made from `base`.

    A field in `asserted` counts as set by me even where it equals the base: a reviewer who confirms
    a label asserts it, so another label set meanwhile is a conflict and not a merge.
    """
    values = dict(theirs)
    conflicts = []
    mine_only = []
    theirs_only = {}

    for name, my_value in mine.items():
        base_value = base.get(name)
        their_value = theirs.get(name, my_value)
        they_changed = name in theirs and not is_same_json(their_value, base_value)
        i_changed = not is_same_json(my_value, base_value)
        i_set = name in asserted or i_changed

        if i_set:
            values[name] = my_value
        if i_changed and not they_changed:
            mine_only.append(name)
        if they_changed and not is_same_json(their_value, my_value):
            if i_set:
                conflicts.append(name)
            else:
                theirs_only[name] = [base_value, their_value]

    return Merge(
        values=values,
        conflicts=tuple(conflicts),
        mine_only=tuple(mine_only),
        theirs_only=theirs_only,
    )


def judge(*, fields: Values, base: Values, theirs: Values) -> Judgement:
    """Compare what a change sets (`fields`, from `base`) with what upstream holds (`theirs`)."""
    send = {}
    conflicts = []
    for name, my_value in fields.items():
        their_value = theirs.get(name)
        if is_same_json(their_value, my_value):
            continue
        send[name] = my_value
        if not is_same_json(their_value, base.get(name)):
            conflicts.append(name)

    merged = {}
    for name, base_value in base.items():
        if name in fields or name not in theirs:
            continue
        if not is_same_json(theirs[name], base_value):
            merged[name] = [base_value, theirs[name]]

    return Judgement(send=send, conflicts=tuple(conflicts), merged=merged)
