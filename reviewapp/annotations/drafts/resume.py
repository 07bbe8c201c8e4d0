"""Continue a draft: the form as it was left, merged with what has changed on the item since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from reviewapp.annotations.decide.changed_since import base_digest, changes_since
from reviewapp.annotations.decide.conflicts import (
    Staleness,
    compare_sides,
    merge_unsubmitted,
    rebased_form_data,
)
from reviewapp.annotations.decide.form_base import with_long_values, write_base
from reviewapp.annotations.decide.forms import OLD_FORM_NOTICE, DecisionForm, upgraded_form_data
from reviewapp.annotations.fields import BLANK_VALUES, FIELDS
from reviewapp.annotations.models import Annotation, Draft


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """The form's data; `stale` if there are conflicts, `news` says what changed on the item."""

    data: dict[str, Any]
    stale: Staleness | None = None
    news: str = ""


def draft_form_data(draft: Draft) -> dict[str, Any]:
    """Return the form's data as the draft holds it."""
    # In the order of `Annotation.seen()`: jsonb keeps no order, and the script compares texts.
    digests = draft.base.get("digests", {})
    names = [*FIELDS, "decision"]
    names += [name for name in ("given", "digests") if name in draft.base]
    base = {}
    for name in names:
        if name not in digests:
            base[name] = draft.base.get(name, BLANK_VALUES.get(name))

    return {
        **draft.typed,
        "decision_id": str(draft.decision_id),
        "base": write_base(base),
        "draft": str(draft.edition),
    }


def edition_as_json(draft: Draft) -> dict[str, str]:
    """Return the edition of a draft and when it was saved."""
    return {"edition": str(draft.edition), "at": draft.saved_at.isoformat()}


def draft_as_json(draft: Draft) -> dict[str, Any]:
    """Return a draft as the script reads it, to offer it beside the form."""
    return {**edition_as_json(draft), "form": draft_form_data(draft)}


def resume_draft(draft: Draft, annotation: Annotation) -> Resumed:
    """Return the form that continues a draft.

    A draft that is not valid yet cannot be merged: it keeps its base until it is submitted.
    """
    data = draft_form_data(draft)
    if "given" not in draft.base:
        return Resumed(data=upgraded_form_data(data, annotation), news=str(OLD_FORM_NOTICE))
    if base_digest(draft.base) == base_digest(annotation.seen()):
        return Resumed(data=data)

    viewer = draft.person.get_username()
    try:
        base = with_long_values(draft.base, annotation)
    except ValidationError:
        # It is damaged; submitting it says so.
        return Resumed(data=data)
    news = changes_since(annotation, base, viewer=viewer).sentence()

    form = DecisionForm(data, annotation=annotation)
    if not form.is_valid():
        return Resumed(data=data, news=news)

    stale = merge_unsubmitted(form.submission(), annotation)
    comparison = None
    if stale.conflicts:
        comparison = compare_sides(stale, data, viewer=viewer)
    rebased = rebased_form_data(data, stale, annotation)
    return Resumed(data=rebased, stale=comparison, news=news)
