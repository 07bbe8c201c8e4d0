"""A form that goes on from a draft: as it was left, and compared with what the item has become since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations.decide.changed_since import digest, news
from reviewapp.annotations.decide.conflicts import Staleness, caught_up, compare, refreshed
from reviewapp.annotations.decide.forms import FROM_BEFORE, DecisionForm, brought_up_to_date
from reviewapp.annotations.decide.parsing import FIELDS
from reviewapp.annotations.models import Annotation, Draft


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """The form's data; `stale` when a person must say whose value stands, `news` when the item has changed at all."""

    data: dict[str, Any]
    stale: Staleness | None = None
    news: str = ""


def form_of(draft: Draft) -> dict[str, Any]:
    """Return the data of the form as the draft holds it."""
    # As `Annotation.seen()` has it: jsonb keeps no order, and the script compares texts.
    names = (*FIELDS, "decision", "given") if "given" in draft.base else (*FIELDS, "decision")
    base = json.dumps({name: draft.base.get(name) for name in names})
    return {**draft.typed, "decision_id": str(draft.decision_id), "base": base, "draft": str(draft.edition)}


def named(draft: Draft) -> dict[str, str]:
    """Return what tells one edition of a draft from another."""
    return {"edition": str(draft.edition), "at": draft.saved_at.isoformat()}


def as_json(draft: Draft) -> dict[str, Any]:
    """Return a draft as the script reads it, to offer it beside what the form holds."""
    return {**named(draft), "form": form_of(draft)}


def resume(draft: Draft, annotation: Annotation) -> Resumed:
    """Return the form to go on with.

    A draft that is not well formed yet cannot be compared: it keeps its base, and submitting it is what compares.
    """
    data = form_of(draft)
    if "given" not in draft.base:
        return Resumed(data=brought_up_to_date(data, annotation), news=FROM_BEFORE)
    if digest(draft.base) == digest(annotation.seen()):
        return Resumed(data=data)
    viewer = draft.person.get_username()
    told = news(annotation, draft.base, viewer=viewer).sentence()
    form = DecisionForm(data, annotation=annotation)
    if not form.is_valid():
        return Resumed(data=data, news=told)
    stale = caught_up(form.submission(), annotation)
    asks = compare(stale, data, viewer=viewer) if stale.conflicts else None
    return Resumed(data=refreshed(data, stale, annotation), stale=asks, news=told)
