"""An item opened again because of a decision of one's own: with what was submitted, or with what stood before it.

Undo by a new decision: which values it would set, and what stands in the way of some. Pure.

The old values are merged into what stands now like anybody's: where somebody has changed since what the decision had
changed, theirs stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from reviewapp.annotations.decide.forms import as_form, opening
from reviewapp.annotations.decide.parsing import FIELDS
from reviewapp.annotations.mirror.from_upstream import BLANK
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.value_authorship import PERSONAL_FIELDS, given_by_people, machine_words
from reviewapp.json_values import same
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import in_words
from reviewapp.web.http import whole_number

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


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


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """What the page says above a form with old values: what goes back, and which decision stands by now.

    `recallable`: it is "can't tell" and still stands, so that it can be taken back as if it had not been made.
    """

    reversal: Reversal
    since: Decision | None
    taken_back: bool
    recallable: bool


def reopened(annotation: Annotation, person: User, asked: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the form's data, and what to say of it, when the address names a decision `again` or to `undo`."""
    for name, opened in (("again", as_submitted), ("undo", to_undo)):
        if key := whole_number(asked.get(name, "")):
            own = Decision.objects.filter(pk=key, annotation=annotation, reviewer=person)
            if decision := own.select_related("undo").first():
                return opened(annotation, decision)
    return None


def as_submitted(annotation: Annotation, decision: Decision) -> dict[str, Any]:
    """Return the form with what was submitted in a decision."""
    values = {name: getattr(decision, name) for name in FIELDS}
    own = (decision.confidence, decision.reasoning)
    given = set(PERSONAL_FIELDS) - set(machine_words(decision.own_words, own, annotation.proposed))
    form = _form(annotation, values, given)
    return {"data": form | {"outcome": decision.outcome}, "again": decision}


def to_undo(annotation: Annotation, decision: Decision) -> dict[str, Any]:
    """Return the form with the values from before a decision that is on its way, or delivered."""
    change = Change.objects.filter(cause=decision.decision_id).first()
    found = reversal(change, annotation.values(), given_before=decision.base.get("given", PERSONAL_FIELDS))
    since = annotation.decision if annotation.decision_id != decision.pk else None
    stands = annotation.decision_id == decision.pk
    said = Undoing(
        reversal=found,
        since=since,
        taken_back=decision.taken_back,
        recallable=stands and not decision.is_sent,
    )
    given = given_by_people(annotation, annotation.changes) | found.values.keys()
    return {"data": _form(annotation, annotation.values() | found.values, given), "undoing": said}


def _form(annotation: Annotation, values: Mapping[str, Any], given: Collection[str]) -> dict[str, Any]:
    return opening(annotation, now=timezone.now()) | as_form(values, given)
