"""An item opened again because of a decision of one's own: with what was submitted, or with what stood before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from reviewapp.annotations.authorship import PERSONAL_FIELDS, given_by_people, machine_words
from reviewapp.annotations.forms import as_form, opening
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.reversal import Reversal, reversal
from reviewapp.annotations.typed import FIELDS
from reviewapp.http import whole_number
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


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
