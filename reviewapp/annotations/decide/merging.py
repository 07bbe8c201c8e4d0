"""Merge a submission with what was decided since its form was rendered, or find it stale.

`base` is what the person saw, `mine` what they submit, `theirs` what the annotation holds now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from reviewapp.annotations.decide.exceptions import StaleSubmission
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.fields import PERSONAL_FIELDS
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.value_authorship import is_nobodys_edit
from reviewapp.json_values import is_same_json
from reviewapp.outbox.merge import Merge, three_way


def merge_or_raise_stale(annotation: Annotation, submission: Submission) -> dict[str, Any]:
    """Return the values that a locked annotation gets from a submission.

    Raises `StaleSubmission` if somebody settled the item differently since the form was rendered.
    """
    # Whether the standing decision is another one than the person saw; scripts see none.
    seen = submission.base.get("decision", annotation.decision_id)
    has_unseen_decision = seen != annotation.decision_id

    if submission.is_undecidable:
        # The values stay as they are; stale if somebody could tell since.
        theirs = current_values(annotation, submission.values())
        if has_unseen_decision and annotation.status == Annotation.Status.DECIDED:
            mine = {name: submission.base.get(name, value) for name, value in theirs.items()}
            merge = three_way(base=submission.base, mine=mine, theirs=theirs)
            raise stale_submission(annotation, submission, mine, merge, ["outcome"])
        return theirs

    # Submitting a label is a decision for it, even if it is the one that the person saw.
    asserted = {"label", *submission.newly_given()}
    mine, merge = merge_submission(annotation, submission, asserted=asserted)

    conflicts = list(merge.conflicts)
    if has_unseen_decision:
        # Confirming a label, or "can't tell", is as much a decision as setting another label.
        if annotation.status == Annotation.Status.UNDECIDABLE:
            conflicts.insert(0, "outcome")
        elif "label" not in conflicts and not is_same_json(mine["label"], annotation.label):
            conflicts.insert(0, "label")

    conflicts = without_cleared_fields(submission, conflicts)
    if conflicts:
        raise stale_submission(annotation, submission, mine, merge, conflicts)
    return merge.values


def merge_submission(
    annotation: Annotation, submission: Submission, *, asserted: Collection[str] = ()
) -> tuple[dict[str, Any], Merge]:
    """Merge a submission into the annotation's current values; returns mine and the merge.

    A confidence or reasoning that was the machine's or blank, and is so again, is nobody's edit:
    for such a field the current value counts as the base.
    """
    theirs = current_values(annotation, submission.values())
    base = dict(submission.base)
    for name in PERSONAL_FIELDS:
        if name not in base or is_same_json(theirs[name], base[name]):
            continue
        if is_nobodys_edit(annotation, name, base[name]):
            base[name] = theirs[name]

    mine = replace(submission, base=base).values()
    merge = three_way(base=base, mine=mine, theirs=theirs, asserted=asserted)
    return mine, merge


def without_cleared_fields(submission: Submission, conflicts: Collection[str]) -> list[str]:
    """Leave out the conflicts in fields that a relabel clears, if the label is in conflict too."""
    if "label" not in conflicts:
        return list(conflicts)
    cleared = submission.cleared_fields()
    return [name for name in conflicts if name not in cleared]


def current_values(annotation: Annotation, mine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotation's values, with the metadata if `mine` sets it."""
    values = annotation.values()
    if "metadata" in mine:
        values["metadata"] = annotation.metadata
    return values


def stale_submission(
    annotation: Annotation,
    submission: Submission,
    mine: dict[str, Any],
    merge: Merge,
    conflicts: list[str],
) -> StaleSubmission:
    """Return the error for a submission with these conflicts; there may be none yet."""
    return StaleSubmission(
        annotation,
        base=submission.base,
        mine=mine,
        theirs=current_values(annotation, mine),
        merge=merge,
        conflicts=conflicts,
    )
