"""Undo by a new decision: which values it would set, and what stands in the way of some. Pure.

The old values are merged into what stands now like anybody's: where somebody has changed since what the decision had
changed, theirs stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations.authorship import PERSONAL_FIELDS
from reviewapp.annotations.said import BLANK
from reviewapp.annotations.typed import FIELDS
from reviewapp.json_values import same
from reviewapp.outbox.display import in_words
from reviewapp.outbox.models import Change

# What Mixpeek has not taken, it need not give back.
_NEVER_TAKEN = {Change.State.CONFLICT, Change.State.REFUSED, Change.State.WITHDRAWN}


@dataclass(frozen=True, kw_only=True)
class Back:
    """One field that goes back: what stands now and what stood before, in words."""

    name: str
    now: str
    then: str


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """What undoing a decision now would set (`values`), field by field (`back`).

    `kept` are fields that somebody has changed since. `created`: there was nothing before it to go back to.
    """

    values: dict[str, Any]
    back: tuple[Back, ...] = ()
    kept: tuple[str, ...] = ()
    created: bool = False


def reversal(
    change: Change | None, now: Mapping[str, Any], *, given_before: Collection[str] = PERSONAL_FIELDS
) -> Reversal:
    """Return how to undo the decision that made `change` (None when it changed nothing) from the values `now`.

    `given_before` are those of confidence and reasoning that a person had given before it; where they were the
    machine's they go back to blank.
    """
    if change is None or change.state in _NEVER_TAKEN:
        return Reversal(values={})
    if not change.base.get("label"):
        return Reversal(values={}, created=True)
    before = {
        name: BLANK[name] if name in PERSONAL_FIELDS and name not in given_before else change.base[name]
        for name in FIELDS
        if name in change.fields
    }
    set_by_it = [name for name, value in before.items() if not same(now[name], value)]
    kept = tuple(name for name in set_by_it if not same(now[name], change.fields[name]))
    values = {name: before[name] for name in set_by_it if name not in kept}
    back = tuple(Back(name=name, now=in_words(now[name]), then=in_words(then)) for name, then in values.items())
    return Reversal(values=values, back=back, kept=kept)
