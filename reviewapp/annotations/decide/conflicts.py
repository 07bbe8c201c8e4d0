"""A form that somebody overtook: what is shown of base, mine and theirs, and the form that can be sent again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from reviewapp.annotations.decide import payload as payloads
from reviewapp.annotations.decide.changed_since import Hand, overtaker
from reviewapp.annotations.decide.forms import as_form, fresh, read_base, unanswered
from reviewapp.annotations.decide.parsing import FIELDS, number
from reviewapp.annotations.decide.services import Stale, Submission, merge_submission, without_cleared_fields
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.value_authorship import given_by_people
from reviewapp.json_values import same

_NAMES = {"label": "Label", "confidence": "Confidence", "reasoning": "Reasoning", "payload": "Payload"}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One field as it was, as I want it and as they made it; `choose` when a person must say whose stands.

    Nothing is chosen beforehand: `chosen` is what was said of these very values, and `unsaid` whether nothing was,
    though it had been asked.
    """

    field: str
    name: str
    base: str
    mine: str
    theirs: str
    choose: bool
    chosen: str
    unsaid: bool


@dataclass(frozen=True, kw_only=True)
class Staleness:
    """Whose hand it was, what it did, and the fields to look at; no sides when only the outcome is in question.

    `untold` is why they could not tell, when that is what they said. `settled` says what needs no asking, in a sentence
    for what only I changed and one for what only they did.
    """

    by: Hand
    sides: list[Side]
    outcome: bool
    untold: str
    settled: tuple[str, ...]


def caught_up(submission: Submission, annotation: Annotation, *, asked: Collection[str] = ()) -> Stale:
    """Return how what is not submitted yet stands beside the annotation as it is now; `conflicts` may be empty.

    Those of the fields `asked` about that differ are still in question.
    """
    mine, merge = merge_submission(annotation, submission)
    theirs = annotation.values()
    still = [name for name in asked if name not in merge.conflicts and not same(mine[name], theirs[name])]
    conflicts = without_cleared_fields(submission, [*merge.conflicts, *still])
    return Stale(annotation, base=submission.base, mine=mine, merge=merge, conflicts=conflicts)


def compare(stale: Stale, data: Mapping[str, Any], *, viewer: str) -> Staleness:
    """Return the fields both sides changed, those that only they did, and what became of all others by itself.

    `data` is the form's, as it was sent; `viewer` is the name of who is told.
    """
    by, opened = overtaker(stale.annotation, stale.base, viewer=viewer), _opened(stale, data)
    return Staleness(
        by=by,
        sides=[_side(stale, name, opened, data) for name in FIELDS if name in (*stale.conflicts, *stale.only_theirs)],
        outcome="outcome" in stale.conflicts,
        untold=_untold(stale.annotation),
        settled=settled(stale, by),
    )


def settled(stale: Stale, by: Hand) -> tuple[str, ...]:
    """Return in a sentence for each side what merges by itself: what only I changed, and what only they did."""
    mine, theirs = _named(stale.only_mine), _named(_taken(stale))
    told = (
        f"Only {'here did you change' if by.own else 'you changed'} the {mine}: {_kept(stale.only_mine)}."
        if mine
        else "",
        by.took_over(theirs) if theirs else "",
    )
    return tuple(sentence for sentence in told if sentence)


def _kept(names: Sequence[str]) -> str:
    return "it stays as you have it" if len(names) == 1 else "they stay as you have them"


def _named(names: Sequence[str]) -> str:
    ordered = [name for name in FIELDS if name in names]
    *most, last = ordered or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _taken(stale: Stale) -> list[str]:
    # "Can't tell" leaves the values alone; the reasoning is why it cannot be told, and is the reviewer's.
    return [name for name in stale.only_theirs if not ("outcome" in stale.conflicts and name == "reasoning")]


def refreshed(data: Mapping[str, Any], stale: Stale, annotation: Annotation) -> dict[str, Any]:
    """Return the form's data from the new base: conflicting fields as typed, fields only they changed as theirs.

    `was_base` is what its writer began from: a draft keeps it, so that the question is asked again, not forgotten, and
    so does a form that comes back without an answer to what it `asked`.
    """
    asks = {
        "was_base": data.get("was_base") or data.get("base", ""),
        "asked": " ".join(name for name in FIELDS if name in stale.conflicts),
    }
    given = given_by_people(annotation, annotation.changes)
    taken = _taken(stale)
    # What the form began with it still holds, or its writer has cleared it; what they never had is left out of it.
    held = given & {*stale.base.get("given", ()), *taken}
    return {**data, **fresh(annotation, held), **asks, **as_form(stale.theirs, given, taken)}


def _untold(annotation: Annotation) -> str:
    if annotation.status != Annotation.Status.UNDECIDABLE or annotation.decision is None:
        return ""
    return annotation.decision.reasoning


def _opened(stale: Stale, data: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return read_base(str(data["was_base"])) if data.get("was_base") else stale.base
    except ValidationError:
        return stale.base


def _side(stale: Stale, name: str, opened: Mapping[str, Any], data: Mapping[str, Any]) -> Side:
    # What was said of other values than theirs are now is no answer any more.
    is_answer = same(stale.base[name], stale.theirs[name])
    return Side(
        field=name,
        name=_NAMES[name],
        base=_shown(name, opened[name]),
        mine=_shown(name, stale.mine[name]),
        theirs=_shown(name, stale.theirs[name]),
        choose=name in stale.conflicts,
        chosen=str(data.get(f"keep_{name}", "")) if is_answer else "",
        unsaid=name in unanswered(data),
    )


def _shown(name: str, value: Any) -> str:
    if name == "confidence":
        return number(value)
    return payloads.write(value) if name == "payload" else str(value)
