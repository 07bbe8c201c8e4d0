"""Plan the submits and the faults of a drill, at random from a seed. Pure.

The same seed, number and clients give the same plan, as long as the order of the random draws
stays. What meets what in time is up to the machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LABELS = ("logo", "text", "face", "product", "screen", "nothing", "other", "blurred")
# The fields that are typed, with their weights.
_TYPED = {
    ("label", "confidence", "reasoning", "payload"): 30,
    ("label", "reasoning"): 20,
    ("reasoning",): 15,
    ("confidence",): 10,
    ("label",): 10,
    ("payload", "reasoning"): 5,
    (): 5,
}
# For how many seconds a decision can be undone.
HOLD = 4
_SUBMITS_PER_ITEM = 4
# The share of submits that go to the few items that everybody wants.
_HOT_SHARE = 0.25
_WAYS = {"once": 80, "again": 10, "twice at once": 10}


@dataclass(frozen=True, kw_only=True)
class Edit:
    """An edit of the external editor, at least `wait` seconds after the step."""

    item: int
    wait: float
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One submit of one reviewer.

    `typed` contains `name`, so that every text can be traced. With `yields`, the person takes
    upstream's values in a conflict. With `races`, the external editor edits the same item between a
    worker's read and its write.
    """

    name: str
    item: int
    typed: dict[str, str]
    cannot_tell: bool
    way: str
    yields: bool
    takes_theirs: bool
    undoes: bool
    races: bool
    edit: Edit | None


@dataclass(frozen=True, kw_only=True)
class PlannedFault:
    """One fault, due when the share `at` of the steps is done.

    `away` is how many seconds a process stays down; `script` is for the sandbox.
    """

    at: float
    kind: str
    target: str = ""
    away: float = 0.0
    script: tuple[dict[str, Any], ...] = field(default=())


def items(submits: int) -> int:
    """Return the number of annotations."""
    return max(submits // _SUBMITS_PER_ITEM, 12)


def steps(seed: int, *, submits: int, clients: int, client: int) -> list[Step]:
    """Return the steps of one client (from 0); those of all clients are `submits` together."""
    dice = random.Random(f"{seed}/client {client}")  # noqa: S311 - a plan to repeat, no secret
    step_count = submits // clients
    if client < submits % clients:
        step_count += 1

    item_count = items(submits)
    planned = []
    for number in range(step_count):
        name = f"{client + 1}-{number + 1}"
        planned.append(_step(dice, name, item_count))
    return planned


def _step(dice: random.Random, name: str, item_count: int) -> Step:
    item = _item(dice, item_count)
    cannot_tell = dice.random() < 0.05
    races = False
    if not cannot_tell:
        races = dice.random() < 0.015

    fields = ("reasoning",)
    if not cannot_tell:
        fields = _weighted_choice(dice, _TYPED)
    typed = {field_name: _typed(dice, field_name, name) for field_name in fields}

    way = _weighted_choice(dice, _WAYS)
    yields = dice.random() < 0.3
    takes_theirs = dice.random() < 0.04
    undoes = dice.random() < 0.06
    edit = None
    if dice.random() < 0.06:
        edit = _edit(dice, name, item, item_count)

    return Step(
        name=name,
        item=item,
        typed=typed,
        cannot_tell=cannot_tell,
        way=way,
        yields=yields,
        takes_theirs=takes_theirs,
        undoes=undoes,
        races=races,
        edit=edit,
    )


def _item(dice: random.Random, item_count: int) -> int:
    """Return the number of an item, often one of the few that everybody wants."""
    hot_count = max(item_count // 50, 3)
    if dice.random() < _HOT_SHARE:
        return dice.randrange(hot_count)
    return dice.randrange(item_count)


def _typed(dice: random.Random, field_name: str, name: str) -> str:
    match field_name:
        case "label":
            return dice.choice(LABELS)
        case "confidence":
            return f"{dice.randrange(101) / 100}"
        case "payload":
            return f'{{"step": "{name}", "boxes": {dice.randrange(9)}}}'
    return f"Looked at it closely ({name}).\nSecond line, “quoted”, {dice.randrange(1000)}."


def _edit(dice: random.Random, name: str, item: int, item_count: int) -> Edit:
    values: dict[str, Any] = {
        "label": dice.choice(LABELS),
        "confidence": dice.randrange(101) / 100,
        "reasoning": f"A stranger after {name}.",
        "payload": {"stranger": name},
    }
    names = dice.sample(sorted(values), dice.choice((1, 1, 2)))
    edited_item = item
    if dice.random() >= 0.7:
        edited_item = dice.randrange(item_count)

    # At once, while the decision is held, or about when it is delivered.
    wait = dice.choice((0.0, HOLD + dice.random()))
    return Edit(item=edited_item, wait=wait, values={name: values[name] for name in names})


def planned_faults(seed: int, *, submits: int) -> list[PlannedFault]:
    """Return the faults in the order of their time: about one for every hundred submits.

    Every kind comes at least once.
    """
    dice = random.Random(f"{seed}/blows")  # noqa: S311 - as above
    fault_count = max(submits // 100, len(_KINDS) + 1)
    more_count = fault_count - len(_KINDS)
    kinds = [*_KINDS, *dice.choices(list(_KINDS), list(_KINDS.values()), k=more_count)]
    dice.shuffle(kinds)

    faults = []
    for number, kind in enumerate(kinds):
        at = 0.02 + 0.9 * (number + dice.random()) / fault_count
        faults.append(_planned_fault(dice, kind, at))
    return faults


# The kinds of faults, with their weights.
_KINDS = {
    "kill web": 3,
    "kill web process": 3,
    "kill worker": 5,
    "kill all workers": 1,
    "kill sandbox": 3,
    "kill database": 2,
    "kill database session": 2,
    "drop before": 5,
    "drop after": 6,
    "429": 3,
    "500": 3,
    "503": 3,
    "html": 3,
    "truncated": 3,
    "late": 4,
    "late and applied": 5,
    "slow read": 5,
}


def _planned_fault(dice: random.Random, kind: str, at: float) -> PlannedFault:
    away = dice.choice((0.0, 0.0, 0.5, 1.5))
    match kind:
        case "kill web" | "kill web process":
            return PlannedFault(at=at, kind=kind, target=f"web{dice.choice((1, 2))}", away=away)
        case "kill worker":
            return PlannedFault(
                at=at,
                kind=kind,
                target=f"worker{dice.choice((1, 2, 3))}",
                away=away,
            )
        case "kill all workers" | "kill sandbox" | "kill database" | "kill database session":
            return PlannedFault(at=at, kind=kind, away=away)
    return PlannedFault(at=at, kind=kind, script=tuple(_scripts(dice, kind)))


def _scripts(dice: random.Random, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the scripts for the sandbox, mostly for requests of deliveries."""
    any_method = dice.choice(("PATCH", "PATCH", "GET", "POST"))
    times = dice.choice((1, 2, 4))
    write_method = dice.choice(("PATCH", "PATCH", "POST"))
    either: dict[str, Any] = {"path": "/v1/annotations", "method": any_method, "times": times}
    write: dict[str, Any] = {"path": "/v1/annotations", "method": write_method, "times": times}
    match kind:
        case "drop before":
            yield either | {"drop": "before"}
        case "drop after":
            yield write | {"drop": "after"}
        case "429":
            yield {
                "path": "/v1/",
                "times": 12,
                "status": 429,
                "headers": {"Retry-After": str(dice.choice((1, 2)))},
            }
        case "500" | "503":
            yield either | {"status": int(kind), "apply": dice.random() < 0.5}
        case "html":
            yield either | {
                "status": dice.choice((200, 502)),
                "body": "<html><h1>Bad gateway</h1></html>",
            }
        case "truncated":
            yield either | {"truncate": dice.choice((0, 10, 60))}
        case "late":
            # The client has given up long before.
            yield either | {"delay": 2.5}
        case "late and applied":
            yield write | {"delay": 2.5, "apply": True}
        case _:
            # What was read is outdated when it arrives, so a write may overwrite another edit.
            yield either | {"method": "GET", "times": 20, "delay": 0.8, "apply": True}


def _weighted_choice(dice: random.Random, weights: dict[Any, int]) -> Any:
    [choice] = dice.choices(list(weights), list(weights.values()))
    return choice
