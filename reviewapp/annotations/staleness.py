"""A form that somebody overtook: what is shown of base, mine and theirs, and the form that can be sent again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations import payload as payloads
from reviewapp.annotations.forms import MINE, fresh
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.services import Stale, Submission
from reviewapp.annotations.typed import FIELDS, as_typed, number
from reviewapp.outbox.merge import same, three_way

_NAMES = {"label": "Label", "confidence": "Confidence", "reasoning": "Reasoning", "payload": "Payload"}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One field as it was, as I want it and as they made it; `choose` when a person must say whose stands."""

    field: str
    name: str
    base: str
    mine: str
    theirs: str
    choose: bool


@dataclass(frozen=True, kw_only=True)
class Staleness:
    """Who was faster, what they did, and the fields to look at; no sides when only the outcome is in question.

    `untold` is why they could not tell, when that is what they said.
    """

    by: str
    sides: list[Side]
    outcome: bool
    untold: str


def caught_up(submission: Submission, annotation: Annotation) -> Stale:
    """Return how what is not submitted yet stands beside the annotation as it is now; `conflicts` may be empty."""
    base, mine = submission.base, submission.values()
    merge = three_way(base=base, mine=mine, theirs=annotation.values())
    return Stale(annotation, base=base, mine=mine, merge=merge, conflicts=list(merge.conflicts))


def compare(stale: Stale) -> Staleness:
    """Return the fields both sides changed, and those that only they did."""
    return Staleness(
        by=stale.by,
        sides=[_side(stale, name) for name in FIELDS if name in stale.conflicts or _only_theirs(stale, name)],
        outcome="outcome" in stale.conflicts,
        untold=_untold(stale.annotation),
    )


def refreshed(data: Mapping[str, Any], stale: Stale, annotation: Annotation) -> dict[str, Any]:
    """Return the form's data from the new base: conflicting fields as typed, fields only they changed as theirs.

    `was_base` is what its writer began from: a draft keeps it, so that the question is asked again, not forgotten.
    """
    taken = [name for name in FIELDS if name not in stale.conflicts and _only_theirs(stale, name)]
    if "outcome" in stale.conflicts:
        # "Cannot tell" leaves the values alone; the reasoning is why it cannot be told, and is the reviewer's.
        taken = [name for name in taken if name != "reasoning"]
    kept = {f"keep_{name}": MINE for name in stale.conflicts if name in FIELDS}
    was = {"was_base": data.get("was_base") or data.get("base", "")}
    return {**data, **fresh(annotation), **was, **as_typed(stale.theirs, *taken), **kept}


def _untold(annotation: Annotation) -> str:
    if annotation.status != Annotation.Status.UNDECIDABLE or annotation.decision is None:
        return ""
    return annotation.decision.reasoning


def _only_theirs(stale: Stale, name: str) -> bool:
    return same(stale.merged[name], stale.theirs[name]) and not same(stale.mine[name], stale.theirs[name])


def _side(stale: Stale, name: str) -> Side:
    return Side(
        field=name,
        name=_NAMES[name],
        base=_shown(name, stale.base[name]),
        mine=_shown(name, stale.mine[name]),
        theirs=_shown(name, stale.theirs[name]),
        choose=name in stale.conflicts,
    )


def _shown(name: str, value: Any) -> str:
    if name == "confidence":
        return number(value)
    return payloads.write(value) if name == "payload" else str(value)
