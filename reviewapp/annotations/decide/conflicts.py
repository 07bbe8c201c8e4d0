"""The conflict form: base, mine and theirs side by side, and data that can be submitted again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reviewapp.annotations.decide.changed_since import ChangeAuthor, change_author
from reviewapp.annotations.decide.exceptions import StaleSubmission
from reviewapp.annotations.decide.form_base import read_base
from reviewapp.annotations.decide.forms import (
    as_form_data,
    new_decision_data,
    unanswered_fields,
)
from reviewapp.annotations.decide.merging import (
    merge_submission,
    stale_submission,
    without_cleared_fields,
)
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.value_authorship import given_by_people
from reviewapp.json_values import is_same_json
from reviewapp.web.conflicts import ConflictChoice


@dataclass(frozen=True, kw_only=True)
class Staleness:
    """Who changed the item, and the fields to look at; none if only the `outcome` is in conflict.

    `untold` is their reason if they could not tell. `settled` are sentences for the fields that
    only one side changed.
    """

    by: ChangeAuthor
    sides: list[ConflictChoice]
    outcome: bool
    untold: str
    settled: tuple[str, ...]


def merge_unsubmitted(
    submission: Submission,
    annotation: Annotation,
    *,
    unanswered: Collection[str] = (),
) -> StaleSubmission:
    """Merge what is not submitted yet into the annotation as it is now; there may be no conflicts.

    The `unanswered` fields that still differ stay in conflict.
    """
    mine, merge = merge_submission(annotation, submission)
    theirs = annotation.values()

    conflicts = list(merge.conflicts)
    for name in unanswered:
        if name not in merge.conflicts and not is_same_json(mine[name], theirs[name]):
            conflicts.append(name)
    conflicts = without_cleared_fields(submission, conflicts)

    return stale_submission(annotation, submission, mine, merge, conflicts)


def compare_sides(stale: StaleSubmission, data: Mapping[str, Any], *, viewer: str) -> Staleness:
    """Return what the conflict form shows: the fields in conflict and those only they changed.

    `data` is the form's, as it was sent; `viewer` is the reader's user name.
    """
    by = change_author(stale.annotation, stale.base, viewer=viewer)
    old_base: Mapping[str, Any] = stale.base
    if data.get("was_base"):
        # A damaged one counts as none.
        with suppress(ValidationError):
            old_base = read_base(str(data["was_base"]), stale.annotation)

    shown_fields = {*stale.conflicts, *stale.only_theirs}
    sides = []
    for name in FIELDS:
        if name in shown_fields:
            sides.append(_side(stale, name, old_base, data, by))

    reason = ""
    decision = stale.annotation.decision
    if stale.annotation.status == Annotation.Status.UNDECIDABLE and decision is not None:
        reason = decision.reasoning

    return Staleness(
        by=by,
        sides=sides,
        outcome="outcome" in stale.conflicts,
        untold=reason,
        settled=_settled_sentences(stale, by),
    )


def _settled_sentences(stale: StaleSubmission, by: ChangeAuthor) -> tuple[str, ...]:
    """Return a sentence for the fields only I changed, and one for those only they changed."""
    sentences = []
    if stale.only_mine:
        if by.own:
            sentence = ngettext(
                "You changed the %(fields)s only here; your value is kept.",
                "You changed the %(fields)s only here; your values are kept.",
                len(stale.only_mine),
            )
        else:
            sentence = ngettext(
                "Only you changed the %(fields)s; your value is kept.",
                "Only you changed the %(fields)s; your values are kept.",
                len(stale.only_mine),
            )
        sentences.append(sentence % {"fields": _join_names(stale.only_mine)})

    taken_over = _fields_taken_over(stale)
    if taken_over:
        sentences.append(by.took_over(_join_names(taken_over)))
    return tuple(sentences)


def _join_names(names: Sequence[str]) -> str:
    in_order = [name for name in FIELDS if name in names]
    return get_text_list(in_order, _("and"))


def _fields_taken_over(stale: StaleSubmission) -> list[str]:
    """Return the fields that the form takes over from them."""
    if "outcome" not in stale.conflicts:
        return stale.only_theirs
    # "Can't tell" leaves the values alone; its reasoning is why, in the reviewer's own words.
    return [name for name in stale.only_theirs if name != "reasoning"]


def rebased_form_data(
    data: Mapping[str, Any],
    stale: StaleSubmission,
    annotation: Annotation,
) -> dict[str, Any]:
    """Return the form's data on the current base: conflicts as typed, their fields as theirs.

    `was_base` is what the form started from. A draft keeps it, and so does a form that comes back
    without an answer to what it `asked`, so that the conflict is shown again.
    """
    asked = [name for name in FIELDS if name in stale.conflicts]
    given = given_by_people(annotation, annotation.changes)
    taken_over = _fields_taken_over(stale)
    # Of the given fields, those that the form started with or takes over, even if cleared since.
    initial = given & {*stale.base.get("given", ()), *taken_over}
    return {
        **data,
        **new_decision_data(annotation, initial),
        "was_base": data.get("was_base") or data.get("base", ""),
        "asked": " ".join(asked),
        **as_form_data(stale.theirs, given, taken_over),
    }


def _side(
    stale: StaleSubmission,
    name: str,
    old_base: Mapping[str, Any],
    data: Mapping[str, Any],
    by: ChangeAuthor,
) -> ConflictChoice:
    chosen = ""
    # A choice between other values than these no longer counts.
    if is_same_json(stale.base[name], stale.theirs[name]):
        chosen = str(data.get(f"keep_{name}", ""))

    field = FIELDS[name]
    return ConflictChoice(
        field=name,
        legend=str(field.title),
        base=field.render(old_base[name]),
        mine=field.render(stale.mine[name]),
        theirs=field.render(stale.theirs[name]),
        is_conflict=name in stale.conflicts,
        chosen=chosen,
        is_missing=name in unanswered_fields(data),
        theirs_caption=by.keep_caption,
    )
