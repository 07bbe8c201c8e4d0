"""Who submits what, and which fault comes when: everything that chance decides, from one seed.
Pure.

The same seed, number and clients give the same plan; how the processes then meet is up to the
machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LABELS = ("logo", "text", "face", "product", "screen", "nothing", "other", "blurred")
# What is filled in, and how often.
_TYPED = {
    ("label", "confidence", "reasoning", "payload"): 30,
    ("label", "reasoning"): 20,
    ("reasoning",): 15,
    ("confidence",): 10,
    ("label",): 10,
    ("payload", "reasoning"): 5,
    (): 5,
}
# For how many seconds a decision can be taken back.
HOLD = 4
_SOME_FOR_EACH = 4
_HOT_SHARE = 0.25
_WAYS = {"once": 80, "again": 10, "twice at once": 10}


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a stranger sets upstream, on which item, and how many seconds after the step at the
    earliest.
    """

    item: int
    wait: float
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One submit of one reviewer: what is typed into the form of which item, and how it is sent.

    `name` is in what is typed, so that every word can be traced. `yields`: what is contested is
    given up. `races`: a stranger edits the same item between our read and our write.
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
    """One fault, due when this share of the steps is done; `away` is for how many seconds a process
    stays down.
    """

    at: float
    kind: str
    target: str = ""
    away: float = 0.0
    script: tuple[dict[str, Any], ...] = field(default=())


def items(submits: int) -> int:
    """Return how many annotations there are."""
    return max(submits // _SOME_FOR_EACH, 12)


def steps(seed: int, *, submits: int, clients: int, client: int) -> list[Step]:
    """Return what one client (from 0) does; all clients together submit exactly `submits` times."""
    dice = random.Random(f"{seed}/client {client}")  # noqa: S311 - a plan to repeat, no secret
    share = submits // clients + (client < submits % clients)
    return [_step(dice, f"{client + 1}-{number + 1}", items(submits)) for number in range(share)]


def _step(dice: random.Random, name: str, many: int) -> Step:
    item = _item(dice, many)
    cannot_tell = dice.random() < 0.05
    races = not cannot_tell and dice.random() < 0.015
    fields = ("reasoning",) if cannot_tell else _one_of(dice, _TYPED)
    return Step(
        name=name,
        item=item,
        typed={each: _typed(dice, each, name) for each in fields},
        cannot_tell=cannot_tell,
        way=_one_of(dice, _WAYS),
        yields=dice.random() < 0.3,
        takes_theirs=dice.random() < 0.04,
        undoes=dice.random() < 0.06,
        races=races,
        edit=_edit(dice, name, item, many) if dice.random() < 0.06 else None,
    )


def _item(dice: random.Random, many: int) -> int:
    """Return any item, every fourth time one of the few that everybody wants."""
    hot = max(many // 50, 3)
    return dice.randrange(hot if dice.random() < _HOT_SHARE else many)


def _typed(dice: random.Random, field_name: str, name: str) -> str:
    match field_name:
        case "label":
            return dice.choice(LABELS)
        case "confidence":
            return f"{dice.randrange(101) / 100}"
        case "payload":
            return f'{{"step": "{name}", "boxes": {dice.randrange(9)}}}'
    return f"Looked at it closely ({name}).\nSecond line, “quoted”, {dice.randrange(1000)}."


def _edit(dice: random.Random, name: str, item: int, many: int) -> Edit:
    values: dict[str, Any] = {
        "label": dice.choice(LABELS),
        "confidence": dice.randrange(101) / 100,
        "reasoning": f"A stranger after {name}.",
        "payload": {"stranger": name},
    }
    chosen = dice.sample(sorted(values), dice.choice((1, 1, 2)))
    return Edit(
        item=item if dice.random() < 0.7 else dice.randrange(many),
        # At once, while the decision is held, or about when it is delivered.
        wait=dice.choice((0.0, HOLD + dice.random())),
        values={each: values[each] for each in chosen},
    )


def planned_faults(seed: int, *, submits: int) -> list[PlannedFault]:
    """Return all faults in the order of their time: about one for every hundred submits, at least
    fourteen.

    The first ones go through every kind once.
    """
    dice = random.Random(f"{seed}/blows")  # noqa: S311 - as above
    many = max(submits // 100, len(_KINDS) + 1)
    kinds = [*_KINDS, *dice.choices([*_KINDS], [*_KINDS.values()], k=many - len(_KINDS))]
    dice.shuffle(kinds)
    return [
        _planned_fault(dice, kind, 0.02 + 0.9 * (number + dice.random()) / many)
        for number, kind in enumerate(kinds)
    ]


# How often each kind comes, relative to the others.
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
    """Yield what the sandbox is told; nearly all of it for reads and writes of annotations, which
    deliveries are.
    """
    method = dice.choice(("PATCH", "PATCH", "GET", "POST"))
    either: dict[str, Any] = {
        "path": "/v1/annotations",
        "method": method,
        "times": dice.choice((1, 2, 4)),
    }
    write = either | {"method": dice.choice(("PATCH", "PATCH", "POST"))}
    match kind:
        case "drop before" | "drop after":
            yield (write if kind == "drop after" else either) | {"drop": kind.split()[1]}
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
            # Given up by us long before, and carried out nevertheless.
            yield either | {"delay": 2.5}
        case "late and applied":
            yield write | {"delay": 2.5, "apply": True}
        case _:
            # What was read is old by the time it arrives: whoever writes then races.
            yield either | {"method": "GET", "times": 20, "delay": 0.8, "apply": True}


def _one_of(dice: random.Random, weights: dict[Any, int]) -> Any:
    return dice.choices(list(weights), list(weights.values()))[0]
